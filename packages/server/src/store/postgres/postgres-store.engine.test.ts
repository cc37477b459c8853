import { type PostgresServer, postgresVersions, startPostgres } from '@parley/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { FreshDatabases } from '../../../test/fresh-databases.ts'
import { storeContract } from '../store.contract.ts'

describe.each(postgresVersions)('25 PostgreSQL %i', (version) => {
  let server: PostgresServer
  let databases: FreshDatabases
  beforeAll(async () => {
    // Housekeeping takes numbers too, and would hold cursors back at moments nobody can foresee.
    server = await startPostgres({ version, settings: { fsync: 'off', autovacuum: 'off' } })
    databases = new FreshDatabases(server)
  })
  afterAll(async () => {
    await databases?.close()
    await server?.close()
  })

  storeContract(() => databases.open(), 'many')
})

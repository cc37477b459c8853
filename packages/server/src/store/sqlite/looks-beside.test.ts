import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UserId } from '@parley/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { alice, commit, ONE, person, uuid } from '../contract/records.contract.ts'
import { NOTHING, type Store, StoreOutage } from '../store.ts'
import { type Database, openBeside, openDatabase } from './database.ts'
import { type LooksBeside, looksBeside } from './looks-beside.ts'
import { sqliteStoreOver } from './sqlite-store.ts'

let folder: string
let file: string
let there: Store
let beside: Database
let looks: LooksBeside
let askedThere: string[]
let tookTimes: number
let isOpen: boolean
let mostRows: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-looks-'))
  file = join(folder, 'store.sqlite')
  there = sqliteStoreOver(openDatabase(file))
  beside = openBeside(file)
  askedThere = []
  tookTimes = 0
  isOpen = true
  mostRows = 10
  const lone = {
    isFor: (rows: number) => rows <= mostRows,
    took: () => {
      tookTimes++
    },
  }
  const thread = {
    isOpen: () => isOpen,
    async load(wanted: Parameters<LooksBeside['load']>[0]) {
      askedThere.push('load')
      if (!isOpen) throw new StoreOutage('It is closed.')
      return there.log.load(wanted)
    },
    async forSignIn(...asked: Parameters<LooksBeside['forSignIn']>) {
      askedThere.push(`forSignIn ${asked[1]?.userId}`)
      if (!isOpen) throw new StoreOutage('It is closed.')
      return there.apps.forSignIn(...asked)
    },
  }
  looks = looksBeside(beside, thread, lone)
  const app = { key: ONE, id: uuid(1), environment: 'staging' as const, name: 'App', createdAt: 0, suspendedAt: null }
  const key = { id: 'k1', provider: uuid(2), algorithm: 'RS256' as const, state: 'active' as const, createdAt: 0 }
  await there.apps.create(
    { ...app, sessionSeconds: null, allowedOrigins: null },
    { id: uuid(2), app: ONE, jwksUrl: null },
    { ...key, publicJwk: { kty: 'RSA' } },
  )
  await commit(there, { people: [person(alice)] })
})

afterEach(async () => {
  if (isOpen) beside.close()
  await there.close()
  rmSync(folder, { recursive: true, force: true })
})

const signIn = (userId: string, appId = uuid(1)) => looks.forSignIn(appId, { keyId: 'k1', userId })

it('those who sign in together are answered by one look, as the store’s threads would answer', async () => {
  const asked = ['alice', 'nobody', '\0'].map((userId) => signIn(userId))
  const answers = await Promise.all([...asked, signIn('alice', uuid(9)), looks.forSignIn(uuid(1))])
  const named = (userId: string) => there.apps.forSignIn(uuid(1), { keyId: 'k1', userId })
  expect(answers).toEqual([
    await named('alice'),
    await named('nobody'),
    await named('\0'),
    undefined,
    await there.apps.forSignIn(uuid(1)),
  ])
  expect([askedThere, tookTimes]).toEqual([[], 1])
})

it('what was changed a moment ago over another connection is seen', async () => {
  expect(await signIn('alice')).toMatchObject({ isSuspended: false })
  const { profile, ...rest } = person(alice)
  await commit(there, { people: [{ ...rest, profile: { ...profile, suspendedAt: 5 } }] })
  await there.apps.putKey({ ...(await there.apps.key('k1'))!, state: 'disabled' })
  expect(await signIn('alice')).toMatchObject({ isSuspended: true, registered: { key: { state: 'disabled' } } })
  expect(askedThere).toEqual([])
})

it('a damaged row is the trouble of who asked for it, and of nobody who asked with them', async () => {
  await commit(there, { people: [person('ben' as UserId)] })
  beside.sql(`UPDATE identities SET display_name = 'Mallory' WHERE user_id = 'ben'`).run()
  const [mine, damaged] = await Promise.allSettled([signIn('alice'), signIn('ben')])
  expect(mine).toMatchObject({ status: 'fulfilled', value: { isSuspended: false } })
  expect(damaged).toMatchObject({ status: 'rejected' })
  expect(askedThere).toEqual(['forSignIn alice', 'forSignIn ben'])
})

it('a batch of a few people and nonces is loaded here, a larger one and conversations are not', async () => {
  const people = [{ app: ONE, key: alice }]
  const few = { ...NOTHING, people, nonces: ['n1'] }
  expect(await looks.load(few)).toEqual(await there.log.load(few))
  expect(askedThere).toEqual([])
  mostRows = 1
  expect(await looks.load(few)).toEqual(await there.log.load(few))
  mostRows = 10
  await looks.load({ ...NOTHING, conversations: [{ app: ONE, key: uuid(5) }] })
  await looks.load({ ...NOTHING, distinctKeys: [{ app: ONE, key: 'd' }] })
  expect(askedThere).toEqual(['load', 'load', 'load'])
})

it('a store that does not serve answers nothing from here', async () => {
  isOpen = false
  beside.close()
  await expect(signIn('alice')).rejects.toBeInstanceOf(StoreOutage)
  await expect(looks.load({ ...NOTHING, nonces: ['n1'] })).rejects.toBeInstanceOf(StoreOutage)
  expect(tookTimes).toBe(0)
})

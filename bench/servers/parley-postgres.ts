/**
 * Parley as it ships, on PostgreSQL, with an app to sign in to: told nothing else, it is alone and makes one; told of a bus
 * and of an app, it joins others.
 */
import { openAdministration, startServer } from '@parley/server'
import { control } from './control.ts'

const [, url, bus, known] = process.argv.slice(2)
const place = { store: url! }
const app = known ? JSON.parse(known) : await createApp()
const log = (message: string, details: object) => console.error(message, details)
const server = await startServer({ ...place, ...(bus && { bus }), log })
control({ kind: 'parley', port: Number(new URL(server.url).port), app })
process.once('SIGTERM', () => void server.close({ drainMs: 0 }).then(() => process.exit()))

async function createApp() {
  const administration = await openAdministration(place)
  const created = await administration.createApp({ name: 'bench', algorithm: 'RS256' })
  await administration.close()
  return created
}

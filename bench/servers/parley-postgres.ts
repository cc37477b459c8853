/** Parley as it ships, on PostgreSQL, with an app to sign in to. */
import { openAdministration, startServer } from '@parley/server'
import { control } from './control.ts'

const [, url] = process.argv.slice(2)
const place = { store: url! }
const administration = await openAdministration(place)
const app = await administration.createApp({ name: 'bench', algorithm: 'RS256' })
await administration.close()
const server = await startServer({ ...place, log: (message, details) => console.error(message, details) })
control({ kind: 'parley', port: Number(new URL(server.url).port), app })
process.once('SIGTERM', () => void server.close({ drainMs: 0 }).then(() => process.exit()))

/** Parley as it ships, on the embedded store in a fresh folder, with an app to sign in to. */
import { openAdministration, type ServerOptions, startServer } from '@parley/server'
import { control } from './control.ts'

/** Larger than any conversation of a scenario. */
const MAX_PARTICIPANTS = 2_000

const [folder] = process.argv.slice(2)
const administration = await openAdministration(folder!)
const app = await administration.createApp({ name: 'bench', algorithm: 'RS256' })
await administration.close()
const options: ServerOptions & { maxParticipants: number } = {
  dataFolder: folder!,
  maxParticipants: MAX_PARTICIPANTS,
  log: (message, details) => console.error(message, details),
}
const server = await startServer(options)
control({ kind: 'parley', port: Number(new URL(server.url).port), app })
process.once('SIGTERM', () => void server.close({ drainMs: 0 }).then(() => process.exit()))

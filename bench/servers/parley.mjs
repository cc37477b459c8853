/** Parley as it ships, on the embedded store in a fresh folder, with an app to sign in to. */
import { openAdministration, startServer } from '@parley/server'

const [folder] = process.argv.slice(2)
const administration = await openAdministration(folder)
const app = await administration.createApp({ name: 'bench', algorithm: 'RS256' })
await administration.close()
const server = await startServer({
  dataFolder: folder,
  log: (message, details) => console.error(message, details),
})
process.send({ ready: { port: Number(new URL(server.url).port), app } })
process.once('SIGTERM', () => void server.close({ drainMs: 0 }).then(() => process.exit()))

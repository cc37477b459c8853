import './prepare/node-version.mjs'

/**
 * `npm start`: from a fresh clone to a chat in the browser. Installs, builds, then starts the server on embedded SQLite, a
 * sample authentication service and the demo, in this very process.
 *
 * PORT          port of the server (default 4500, or the next free one); 0 takes any free ones
 * PARLEY_HOST   address to listen at (default 127.0.0.1)
 * PARLEY_DATA   folder of all data (default .parley)
 *
 * Once everything is ready, .parley/dev.json tells other programs where it is.
 */
const { must, provideBuild } = await import('./prepare/base.mjs')

await provideBuild()
const { buildDemo } = await import('./checks.mjs')
await must(buildDemo)

const { runDevelopment } = await import('./development/run.mjs')
const { settingsFrom, usualDevFile } = await import('./development/settings.mjs')
await runDevelopment({ ...settingsFrom(process.env), devFile: usualDevFile })

import './prepare/node-version.mjs'

/**
 * `npm run cluster`: Parley as many nodes on this machine. Installs and builds, then starts PostgreSQL, NATS, three nodes, a
 * balancer before them, a sample authentication service and the demo, all on free ports, so that any piece can be killed
 * while one watches.
 *
 * PARLEY_NODES  how many nodes (default 3)
 * PARLEY_DATA   a folder that keeps the data; without it they are gone at the end
 */
const { runStep } = await import('./run-step.mjs')
const { installPackages, isInstalled, isSqliteUsable, recompileSqlite } = await import('./prepare/packages.mjs')
const { findNatsServer, provideNatsServer } = await import('./prepare/nats-server.mjs')
const { findPostgres } = await import('./prepare/postgres.mjs')

/** @param {import('./run-step.mjs').Step} step */
async function must(step) {
  if (!(await runStep(step))) process.exit(1)
}

if (!isInstalled()) await must(installPackages)
if (!(await isSqliteUsable())) await must(recompileSqlite)
await must(provideNatsServer)
const { buildDemo, buildPackages } = await import('./checks.mjs')
await must(buildPackages)
await must(buildDemo)

process.env.NATS_SERVER ??= findNatsServer()
const { runCluster } = await import('./cluster/run.mjs')
const { settingsFrom } = await import('./cluster/settings.mjs')
await runCluster({ ...settingsFrom(process.env), postgresVersion: findPostgres() ? 15 : 18 })

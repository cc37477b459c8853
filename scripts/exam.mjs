import './prepare/node-version.mjs'

/**
 * `npm run exam` and `npm run exam:nightly`: installs what is missing, builds, and examines. See `docs/exam.md`.
 */
const { runProgram, runStep } = await import('./run-step.mjs')
const { installPackages, isInstalled, isSqliteUsable, recompileSqlite } = await import('./prepare/packages.mjs')
const { findChromium, provideChromium } = await import('./prepare/chromium.mjs')
const { findNatsServer, provideNatsServer } = await import('./prepare/nats-server.mjs')
const { provideTools } = await import('./prepare/exam-tools.mjs')
const { providePostgres } = await import('./prepare/postgres.mjs')

const args = process.argv.slice(2)
const isNight = args.includes('--nightly')

/** @param {import('./run-step.mjs').Step} step */
async function must(step) {
  if (!(await runStep(step))) process.exit(1)
}

if (!isInstalled()) await must(installPackages)
if (!(await isSqliteUsable())) await must(recompileSqlite)
const { buildDemo, buildPackages } = await import('./checks.mjs')
await must(buildPackages)
// A row whose tool is missing says so and fails; the others need not wait for it.
await runStep(provideNatsServer)
await runStep(providePostgres)
await runStep(provideTools(isNight ? ['strace', 'gcc', 'libfaketime'] : ['strace']))
if (isNight) {
  await must(buildDemo)
  await runStep(provideChromium)
}
const [chromium, natsServer] = [findChromium(), findNatsServer()]
const env = {
  ...process.env,
  ...(chromium && { CHROMIUM: chromium }),
  ...(natsServer && { NATS_SERVER: natsServer }),
}
const examiner = ['--conditions=source', '--import', 'tsx', 'exam/run.ts', ...args]
process.exitCode = (await runProgram(process.execPath, examiner, { env, show: true })).exitCode

import './prepare/node-version.mjs'

/**
 * `npm run exam` and `npm run exam:nightly`: installs what is missing, builds, and examines. See `docs/exam.md`.
 */
const { runProgram, runStep } = await import('./run-step.mjs')
const { must, provideBuild } = await import('./prepare/base.mjs')
const { provideChromium } = await import('./prepare/chromium.mjs')
const { provideNatsServer } = await import('./prepare/nats-server.mjs')
const { provideTools } = await import('./prepare/exam-tools.mjs')
const { providePostgres } = await import('./prepare/postgres.mjs')
const { toolEnvironment } = await import('./prepare/tool-environment.mjs')

const args = process.argv.slice(2)
const isNight = args.includes('--nightly')

await provideBuild()
const { buildDemo } = await import('./checks.mjs')
// A row whose tool is missing says so and fails; the others need not wait for it.
await runStep(provideNatsServer)
await runStep(providePostgres)
await runStep(provideTools(isNight ? ['strace', 'gcc', 'libfaketime'] : ['strace']))
if (isNight) {
  await must(buildDemo)
  await runStep(provideChromium)
}
const env = { ...process.env, ...toolEnvironment() }
const examiner = ['--conditions=source', '--import', 'tsx', 'exam/run.ts', ...args]
process.exitCode = (await runProgram(process.execPath, examiner, { env, show: true })).exitCode

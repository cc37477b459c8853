import './prepare/node-version.mjs'

/**
 * `npm run bench`, `bench:overload`, `bench:soak`, `scaling`: installs what is missing, builds, and measures. See
 * `docs/performance.md`. The first argument is the program, the others are for it.
 */
const { runProgram } = await import('./run-step.mjs')
const { must, provideBuild } = await import('./prepare/base.mjs')
const { provideChromium } = await import('./prepare/chromium.mjs')
const { provideNatsServer } = await import('./prepare/nats-server.mjs')
const { providePostgres } = await import('./prepare/postgres.mjs')

/** What each program measures with, besides Node: overload and soak are about the embedded store, scaling is arithmetic. */
const needs = {
  main: [provideNatsServer, providePostgres, provideChromium],
  overload: [],
  soak: [],
  'scaling/main': [],
}

const [program = 'main', ...args] = process.argv.slice(2)
if (!Object.hasOwn(needs, program))
  throw new Error(`No program ${program}: there are ${Object.keys(needs).join(', ')}.`)
await provideBuild()
for (const step of needs[/** @type {keyof typeof needs} */ (program)]) await must(step)
process.exitCode = (await runProgram(process.execPath, [`bench/dist/${program}.js`, ...args], { show: true })).exitCode

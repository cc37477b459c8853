import './prepare/node-version.mjs'

/**
 * `npm test`: from a fresh clone on a fresh machine. Installs what it needs, checks everything, runs every test, and ends
 * with one plain line, `N passed, N failed`. Tests are counted one by one; any other step that fails is one failure more.
 */
const { runStep } = await import('./run-step.mjs')
const { installPackages, isInstalled, isSqliteUsable, recompileSqlite } = await import('./prepare/packages.mjs')
const { provideChromium } = await import('./prepare/chromium.mjs')
const { provideNatsServer } = await import('./prepare/nats-server.mjs')
const { providePostgres } = await import('./prepare/postgres.mjs')
const { provideDeploymentTools } = await import('./prepare/deployment-tools.mjs')
const { provideTools } = await import('./prepare/exam-tools.mjs')
const { toolEnvironment } = await import('./prepare/tool-environment.mjs')

const startedAt = performance.now()
const total = { passed: 0, failed: 0, skipped: 0 }
const wentWrong = /** @type {string[]} */ ([])

if (await prepare()) await checkAndTest()

const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1)
console.log(`\nThat took ${minutes} minutes.${total.skipped ? ` ${total.skipped} tests were skipped.` : ''}`)
for (const name of wentWrong) console.log(`Look above at: ${name}`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

/** Without these, nothing else has a meaning. */
async function prepare() {
  if (!isInstalled() && !(await must(installPackages))) return false
  return (await isSqliteUsable()) || (await must(recompileSqlite))
}

async function checkAndTest() {
  const { buildDemo, buildPackages, checks } = await import('./checks.mjs')
  const hasChromium = await must(provideChromium)
  await must(provideNatsServer)
  await must(provideTools(['strace']))
  await must(providePostgres)
  await must(provideDeploymentTools)
  const isBuilt = await must(buildPackages)
  const hasDemo = await must(buildDemo)
  for (const check of checks) await must(check)
  await test('unit tests', 'unit')
  // Whoever waits for an engine to die and come back leaves the processor to the others.
  const engines = isBuilt && test('tests with PostgreSQL and NATS', 'engine')
  if (isBuilt) await test('tests with servers of their own', 'process')
  if (isBuilt && hasDemo && hasChromium) await test('journeys in the browser', 'journey')
  await engines
}

/** @param {import('./run-step.mjs').Step} step */
async function must(step) {
  const isFine = await runStep(step)
  if (!isFine) {
    total.failed += 1
    wentWrong.push(step.name)
  }
  return isFine
}

/** @param {string} name @param {'unit' | 'process' | 'engine' | 'journey'} project */
async function test(name, project) {
  const { vitestStep } = await import('./run-vitest.mjs')
  const env = { PARLEY_IS_BUILT: '1', ...toolEnvironment() }
  const onCount = (/** @type {typeof total} */ count) => {
    total.passed += count.passed
    total.failed += count.failed
    total.skipped += count.skipped
  }
  if (!(await runStep(vitestStep({ name, project, env, onCount })))) wentWrong.push(name)
}

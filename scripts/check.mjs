import './prepare/node-version.mjs'

/** `npm run check`: format, lint, types, arrows of import, examples, SDK size and unit tests, in under a minute. */
const { hasPackages } = await import('./prepare/packages.mjs')
if (!hasPackages()) {
  console.error('The packages are not installed yet. Install them with: npm ci')
  process.exit(1)
}
const { buildPackages, checks } = await import('./checks.mjs')
const { runStep } = await import('./run-step.mjs')
const { vitestStep } = await import('./run-vitest.mjs')

const startedAt = performance.now()
/** @type {string[]} */
const failed = []
const runAll = async (/** @type {import('./run-step.mjs').Step[]} */ steps) => {
  for (const step of steps) if (!(await runStep(step))) failed.push(step.name)
}
await runAll([buildPackages])
// The tests keep one core busy, the rest another.
await Promise.all([runAll([vitestStep({ name: 'unit tests', project: 'unit' })]), runAll(checks)])

const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(failed.length === 0 ? `All is well (${seconds} s).` : `Not well: ${failed.join(', ')} (${seconds} s).`)
process.exitCode = failed.length === 0 ? 0 : 1

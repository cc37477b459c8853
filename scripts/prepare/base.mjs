import { runStep } from '../run-step.mjs'
import { installPackages, isInstalled, isSqliteUsable, recompileSqlite } from './packages.mjs'

/**
 * Runs a step without which nothing after it has a meaning: the program ends if it fails.
 *
 * @param {import('../run-step.mjs').Step} step
 */
export async function must(step) {
  if (!(await runStep(step))) process.exit(1)
}

/** The packages that everything imports, in a shape that this machine can use, and built. */
export async function provideBuild() {
  if (!isInstalled()) await must(installPackages)
  if (!(await isSqliteUsable())) await must(recompileSqlite)
  // What it runs was installed just now.
  const { buildPackages } = await import('../checks.mjs')
  await must(buildPackages)
}

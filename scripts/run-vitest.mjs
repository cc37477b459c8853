import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { nodeProgram, runProgram, StepFailure } from './run-step.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @typedef {{ passed: number, failed: number, skipped: number }} TestCount */

/**
 * Runs one project of vitest.config.ts and counts from its JSON report. Long runs show each file as it ends; short ones, and
 * those that run beside others, only what failed.
 *
 * @param {{
 *   name: string, project: 'unit' | 'process' | 'engine' | 'journey', env?: NodeJS.ProcessEnv, onCount?: (count: TestCount) => void
 * }} options
 * @returns {import('./run-step.mjs').Step}
 */
export const vitestStep = ({ name, project, env, onCount }) => ({
  name,
  async run() {
    const isLong = project === 'process' || project === 'journey'
    const report = `${root}artifacts/tests/${project}.json`
    mkdirSync(`${root}artifacts/tests`, { recursive: true })
    rmSync(report, { force: true })
    const args = ['run', '--project', project, '--passWithNoTests', '--reporter=json', `--outputFile.json=${report}`]
    const { exitCode, output } = await runProgram(
      process.execPath,
      [nodeProgram('vitest/vitest.mjs'), ...args, `--reporter=${isLong ? 'default' : 'dot'}`],
      { cwd: root, env: { ...process.env, ...env }, show: isLong },
    )
    const count = countTests(readReport(report), exitCode)
    onCount?.(count)
    if (count.failed > 0) throw new StepFailure(isLong ? `${count.failed} failed` : output)
    return `${count.passed} passed`
  },
})

/** @param {string} file */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * `failed` is never 0 after a run that went wrong: a file that could not be loaded, an error outside of any test and a
 * crash of the runner each count as one failure.
 *
 * @param {any} report @param {number} exitCode @returns {TestCount}
 */
export function countTests(report, exitCode) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 }
  const isUnloadable = (/** @type {any} */ file) =>
    file.status === 'failed' && !file.assertionResults.some((/** @type {any} */ test) => test.status === 'failed')
  const failed = report.numFailedTests + report.testResults.filter(isUnloadable).length
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

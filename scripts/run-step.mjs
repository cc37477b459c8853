import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * One step of a longer run: says what it does, gives a sign of life every ten seconds, and ends with a tick or a cross
 * and the time it took. What a program prints is shown only if it fails, so that a green run stays readable.
 *
 * @typedef {{ name: string, run: (step: StepContext) => Promise<unknown> }} Step
 * @typedef {{ note: (text: string) => void }} StepContext
 */

const SIGN_OF_LIFE_MS = 10_000

/** A step that failed with a report meant to be read as it stands. */
export class StepFailure extends Error {}

/** @param {Step} step @returns {Promise<boolean>} whether it went well */
export async function runStep({ name, run }) {
  const startedAt = performance.now()
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  let latest = ''
  console.log(`▸ ${name}`)
  const timer = setInterval(() => console.log(`  … ${name}: ${seconds()}${latest && `, ${latest}`}`), SIGN_OF_LIFE_MS)
  try {
    const summary = await run({ note: (text) => (latest = text) })
    console.log(`✓ ${name} (${seconds()})${summary ? `: ${summary}` : ''}`)
    return true
  } catch (error) {
    console.log(error instanceof StepFailure ? error.message : error)
    console.log(`✗ ${name} (${seconds()})`)
    return false
  } finally {
    clearInterval(timer)
  }
}

/**
 * Runs a program to its end. Its output is collected, and shown as it comes if `show` is set.
 *
 * @param {string} command @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean }} [options]
 * @returns {Promise<{ exitCode: number, output: string }>}
 */
export function runProgram(command, args, { cwd, env = process.env, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' }
    const child = spawn(command, args, { cwd, env: { ...env, ...plain }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text) => {
        output += text
        if (show) process.stdout.write(text)
      })
    }
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ exitCode: code ?? (signal ? 128 : 1), output }))
  })
}

/**
 * Like {@link runProgram}, but anything except success is a {@link StepFailure} that shows the output.
 *
 * @param {string} command @param {string[]} args @param {Parameters<typeof runProgram>[2]} [options]
 */
export async function mustRun(command, args, options) {
  const { exitCode, output } = await runProgram(command, args, options)
  if (exitCode !== 0) throw new StepFailure(output.trimEnd() || `${command} ended with code ${exitCode} and no output`)
  return output
}

/** Where an installed program lies, to be run with this very Node and no shell. */
export const nodeProgram = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url))

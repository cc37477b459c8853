import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { mustRun, nodeProgram, StepFailure } from './run-step.mjs'

/** Builds the pages of the demo into apps/demo/dist. */
const demo = fileURLToPath(new URL('../apps/demo/', import.meta.url))

try {
  if (existsSync(`${demo}vite.config.ts`)) {
    await mustRun(process.execPath, [nodeProgram('vite/bin/vite.js'), 'build', '--logLevel=warn'], { cwd: demo })
  }
} catch (error) {
  if (!(error instanceof StepFailure)) throw error
  console.error(error.message)
  process.exitCode = 1
}

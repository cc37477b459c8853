import { mustRun, nodeProgram } from './run-step.mjs'

/** Tests that start the built programs build them first, unless whoever runs the tests has just done so. */
export async function setup() {
  if (process.env.PARLEY_IS_BUILT) return
  await mustRun(process.execPath, [nodeProgram('typescript/bin/tsc'), '-b'])
  await mustRun(process.execPath, ['scripts/build-demo.mjs'])
}

import { fileURLToPath } from 'node:url'
import { mustRun, nodeProgram } from './run-step.mjs'

/** @typedef {import('./run-step.mjs').Step} Step */

const root = fileURLToPath(new URL('..', import.meta.url))
const node = (/** @type {string[]} */ ...args) => mustRun(process.execPath, args, { cwd: root })
const tsc = nodeProgram('typescript/bin/tsc')
const biome = nodeProgram('@biomejs/biome/bin/biome')

/** @type {Step} */
export const buildPackages = { name: 'build the packages', run: async () => void (await node(tsc, '-b')) }

/** @type {Step} */
export const buildDemo = { name: 'build the demo', run: async () => void (await node('scripts/build-demo.mjs')) }

/**
 * What must hold besides the tests, once the packages are built; cheapest first.
 *
 * @type {Step[]}
 */
export const checks = [
  { name: 'format and lint', run: async () => void (await node(biome, 'check', '--max-diagnostics=50')) },
  { name: 'arrows of import', run: async () => void (await node('scripts/check-arrows.mjs')) },
  { name: 'types of tests and scripts', run: async () => void (await node(tsc, '-p', 'tsconfig.check.json')) },
  { name: 'examples in the documents', run: async () => (await node('scripts/check-docs.mjs')).trim() },
  { name: 'packages as published', run: async () => void (await node('scripts/check-published.mjs')) },
  { name: 'size of the SDK', run: async () => `\n${(await node('scripts/size.mjs')).trimEnd()}` },
]

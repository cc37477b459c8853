/** Part of `npm run check`: looks into every package as it would be published. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageFaults } from './published.mjs'
import { mustRun } from './run-step.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const args = ['pack', '--workspaces', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error']
const packed = JSON.parse(await mustRun('npm', args, { cwd: root }))
const homeOf = (/** @type {string} */ name) => join(root, 'packages', name.replace('@parley/', ''))

/** @type {string[]} */
const faults = []
let looked = 0
for (const { name, files } of packed) {
  // The demo is no package anybody installs, and neither are what only tests need.
  if (name === '@parley/demo') continue
  const home = homeOf(name)
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  if (manifest.private) continue
  looked++
  const paths = files.map((/** @type {{ path: string }} */ file) => file.path)
  faults.push(...packageFaults(manifest, paths, (path) => readFileSync(join(home, path), 'utf8')))
}
if (looked === 0) faults.push('No package would be published at all.')
for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1

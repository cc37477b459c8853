#!/usr/bin/env node
// Runs the built command. Inside the repository it can be asked for before anything is built; then it builds first.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/main.js', import.meta.url)
const compiler = new URL('../../../node_modules/typescript/bin/tsc', import.meta.url)
const project = new URL('..', import.meta.url)

if (!existsSync(main) && existsSync(compiler)) {
  console.error('parley: building once, which takes a few seconds …')
  const build = spawnSync(process.execPath, [fileURLToPath(compiler), '-b', fileURLToPath(project)], {
    stdio: ['ignore', 2, 2],
  })
  if (build.status !== 0) {
    console.error('parley: the build failed. Look at it with: npm run build')
    process.exit(1)
  }
}
await import(main.href)

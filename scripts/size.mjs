import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/**
 * What each entry point of the client weighs in an app: bundled with everything it imports, minified, gzipped.
 * A budget is raised by a commit that says why.
 */
const budgetsKb = { '.': 30, './sqlite': 12, './memory': 6 }

/** Runs in Node only; everything else must do without Node. */
const nodeEntries = ['./sqlite']

const home = fileURLToPath(new URL('../packages/client/', import.meta.url))
const entries = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).exports
const wrong = []

for (const [name, { source }] of Object.entries(entries)) {
  const budget = budgetsKb[/** @type {keyof typeof budgetsKb} */ (name)]
  const { gzipBytes, foreign, heaviest } = await weigh(
    join(home, source),
    nodeEntries.includes(name) ? 'node' : 'browser',
  )
  const kb = gzipBytes / 1024
  console.log(
    `${`@parley/client${name.slice(1)}`.padEnd(24)} ${kb.toFixed(1).padStart(6)} KB of ${budget ?? '?'} KB gzip`,
  )
  if (budget === undefined) wrong.push(`${name} has no budget in scripts/size.mjs.`)
  else if (kb > budget) wrong.push(`${name} is ${(kb - budget).toFixed(1)} KB over its budget. Heaviest: ${heaviest}`)
  for (const input of foreign) wrong.push(`${name} contains ${input}, which must not reach an app.`)
}

for (const sentence of wrong) console.error(sentence)
process.exitCode = wrong.length === 0 ? 0 : 1

/** @param {string} entry @param {'browser' | 'node'} platform */
async function weigh(entry, platform) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform,
    target: 'es2022',
    conditions: ['source'],
    external: ['better-sqlite3', ...(platform === 'browser' ? ['node:*'] : [])],
    metafile: true,
    write: false,
    logLevel: 'silent',
    absWorkingDir: home,
  }).catch((/** @type {import('esbuild').BuildFailure} */ failure) => {
    console.error(failure.message)
    process.exit(1)
  })
  const [output] = Object.values(metafile.outputs)
  const kept = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  const schemas = kept.map(([path]) => path).filter((path) => path.includes('node_modules/valibot/'))
  const builtins = platform === 'browser' ? (output?.imports ?? []).map(({ path }) => path) : []
  const heaviest = kept
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    .slice(0, 5)
    .map(([path, { bytesInOutput }]) => `${path} (${bytesInOutput} bytes)`)
    .join(', ')
  return {
    heaviest,
    gzipBytes: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length,
    foreign: [...schemas, ...builtins],
  }
}

import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/**
 * What each entry point of the client weighs in an app: bundled with everything it imports, minified, gzipped. What is
 * fetched later (what needs the network; the storage of a browser that stores nothing) is counted by itself.
 * A budget is raised by a commit that says why.
 */
const budgetsKb = { '.': 30, './online': 10.5, './sqlite': 12, './memory': 6 }
const laterBudgetsKb = { online: 9, memory: 2 }

/** Runs in Node only; everything else must do without Node. */
const nodeEntries = ['./sqlite']

const home = fileURLToPath(new URL('../packages/client/', import.meta.url))
const entries = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).exports
const wrong = []

for (const [name, { source }] of Object.entries(entries)) {
  const budget = budgetsKb[/** @type {keyof typeof budgetsKb} */ (name)]
  const { gzipBytes, later, foreign, heaviest } = await weigh(
    join(home, source),
    nodeEntries.includes(name) ? 'node' : 'browser',
  )
  compare(`@parley/client${name.slice(1)}`, gzipBytes, budget, `Heaviest: ${heaviest}`)
  for (const [file, bytes] of later) {
    const [part] = file.split('-')
    compare(`  later: ${part}`, bytes, laterBudgetsKb[/** @type {keyof typeof laterBudgetsKb} */ (part)])
  }
  for (const input of foreign) wrong.push(`${name} contains ${input}, which must not reach an app.`)
}

for (const sentence of wrong) console.error(sentence)
process.exitCode = wrong.length === 0 ? 0 : 1

/** @param {string} name @param {number} gzipBytes @param {number | undefined} budget */
function compare(name, gzipBytes, budget, advice = '') {
  const kb = gzipBytes / 1024
  console.log(`${name.padEnd(24)} ${kb.toFixed(1).padStart(6)} KB of ${budget ?? '?'} KB gzip`)
  if (budget === undefined) wrong.push(`${name} has no budget in scripts/size.mjs.`)
  else if (kb > budget) wrong.push(`${name} is ${(kb - budget).toFixed(1)} KB over its budget. ${advice}`)
}

/** @param {string} entry @param {'browser' | 'node'} platform */
async function weigh(entry, platform) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    splitting: true,
    outdir: 'out',
    entryNames: 'entry',
    platform,
    target: 'es2022',
    conditions: ['source'],
    external: ['@parley/sqlite', ...(platform === 'browser' ? ['node:*'] : [])],
    metafile: true,
    write: false,
    logLevel: 'silent',
    absWorkingDir: home,
  }).catch((/** @type {import('esbuild').BuildFailure} */ failure) => {
    console.error(failure.message)
    process.exit(1)
  })
  const outputs = startingFrom('out/entry.js', metafile.outputs)
  const fetched = Object.keys(metafile.outputs).filter((path) => !outputs.includes(path))
  /** @param {string} path */
  const gzipOf = (path) =>
    gzipSync(outputFiles.find((file) => file.path.endsWith(path))?.contents ?? '', { level: 9 }).length
  const kept = outputs
    .flatMap((path) => Object.entries(metafile.outputs[path]?.inputs ?? {}))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  const schemas = kept.map(([path]) => path).filter((path) => path.includes('node_modules/valibot/'))
  const imports = outputs.flatMap((path) => metafile.outputs[path]?.imports ?? [])
  const builtins = platform === 'browser' ? imports.filter(({ external }) => external).map(({ path }) => path) : []
  const heaviest = kept
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    .slice(0, 5)
    .map(([path, { bytesInOutput }]) => `${path} (${bytesInOutput} bytes)`)
    .join(', ')
  return {
    heaviest,
    gzipBytes: outputs.reduce((sum, path) => sum + gzipOf(path), 0),
    /** @type {[string, number][]} */
    later: fetched.map((path) => [basename(path), gzipOf(path)]),
    foreign: [...schemas, ...builtins],
  }
}

/**
 * An output and what it loads at once.
 *
 * @param {string} path @param {import('esbuild').Metafile['outputs']} outputs @returns {string[]}
 */
function startingFrom(path, outputs, /** @type {Set<string>} */ seen = new Set()) {
  if (seen.has(path)) return []
  seen.add(path)
  const loaded = (outputs[path]?.imports ?? []).filter(({ kind, external }) => kind === 'import-statement' && !external)
  return [path, ...loaded.flatMap((next) => startingFrom(next.path, outputs, seen))]
}

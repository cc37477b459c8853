import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeProgram, runProgram } from './run-step.mjs'

/**
 * Type-checks every ```ts block of the README and the guides, each as a module of its own. A block keeps its place in the
 * extracted file, so that a line number in an error is the line number in the document.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'artifacts/examples')

/** @param {string} markdown @returns {{ line: number, code: string }[]} */
export function examplesIn(markdown) {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map((found) => ({
    line: markdown.slice(0, found.index).split('\n').length + 1,
    code: /** @type {string} */ (found[1]),
  }))
}

function documents() {
  const guides = join(root, 'docs/guides')
  const names = existsSync(guides) ? readdirSync(guides).filter((name) => name.endsWith('.md')) : []
  return ['README.md', ...names.map((name) => `docs/guides/${name}`)]
}

function extractExamples() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return documents().flatMap((document) =>
    examplesIn(readFileSync(join(root, document), 'utf8')).map(({ line, code }) => {
      const file = join(folder, `${document.replaceAll('/', '~')}~${line}.ts`)
      writeFileSync(file, `${'\n'.repeat(line - 1)}${code}\nexport {}\n`)
      return file
    }),
  )
}

/** Names in an error message become those of the document again. */
const inDocuments = (/** @type {string} */ output) =>
  output.replaceAll(/artifacts\/examples\/(\S+?)~\d+\.ts/g, (_, name) => name.replaceAll('~', '/'))

const examples = extractExamples()
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({
    extends: '../../tsconfig.check.json',
    compilerOptions: { incremental: false, noUnusedLocals: false, checkJs: false, allowJs: false },
    include: ['*.ts'],
  }),
)
const compile = () => runProgram(process.execPath, [nodeProgram('typescript/bin/tsc'), '-p', folder], { cwd: root })
const { exitCode, output } = examples.length > 0 ? await compile() : { exitCode: 0, output: '' }
console.log(exitCode === 0 ? `${examples.length} examples` : inDocuments(output))
process.exitCode = exitCode

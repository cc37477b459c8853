import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { judge, type Row, type RowContext, type RowResult } from '../row.ts'
import { failed } from './run-row.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folders = ['packages', 'apps', 'scripts']
const isTestFile = (name: string) => /\.test\.tsx?$/.test(name)

/** What vitest's JSON report says of one test. */
export interface Told {
  readonly title: string
  readonly ancestorTitles: readonly string[]
  readonly status: string
  readonly failureMessages?: readonly string[]
}

/**
 * A row that lives as tests elsewhere, because it needs a browser or no process at all: all tests whose title, or that
 * of a group they are in, begins with the row's number, such as `114 a nonce of another app`. None found is a failure.
 */
export const testsAsRow = (row: Pick<Row, 'id' | 'tier' | 'title'>): Row => ({
  ...row,
  // They have limits of their own.
  limitMs: 180_000,
  livesInTests: true,
  run: async (context) => (await runTests(row.id, context)).result,
})

/** Runs the tests of a row. Answers those that are its own besides, for a row that has more to say of them. */
export async function runTests(
  id: number,
  context: RowContext,
): Promise<{ readonly result: RowResult; readonly own: readonly Told[] }> {
  const begins = new RegExp(`['"\`]${id} `)
  const files = folders.flatMap((folder) => testFiles(join(root, folder))).filter((file) => begins.test(read(file)))
  if (files.length === 0) return { result: failed(`no test's title begins with ${id}`), own: [] }
  const { exitCode, output, told } = await vitest(id, files, context)
  const own = told.filter(
    ({ title, ancestorTitles, status }) =>
      [title, ...ancestorTitles].some((one) => one.startsWith(`${id} `)) && !['skipped', 'pending'].includes(status),
  )
  const broken = own.filter(({ status }) => status !== 'passed')
  const complaints = broken.map(
    ({ title, failureMessages }) => `${title}: ${failureMessages?.[0]?.split('\n')[0] ?? 'failed'}`,
  )
  const result = judge({
    bites: own.length,
    figures: { tests: own.length, failed: broken.length, files: files.length },
    holds: {
      ...Object.fromEntries(complaints.map((complaint) => [complaint, false])),
      [`the tests ran to their end (${output.trim().split('\n').slice(-3).join(' / ')})`]:
        broken.length > 0 || exitCode === 0,
    },
  })
  return { result, own }
}

async function vitest(id: number, files: readonly string[], { onEnd }: RowContext) {
  const folder = join(root, 'artifacts/exam')
  mkdirSync(folder, { recursive: true })
  const report = join(folder, `tests-${id}.json`)
  rmSync(report, { force: true })
  const child = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      ...['run', ...files, '--testNamePattern', `(^| )${id} `],
      ...['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`],
    ],
    // Whoever runs the exam has built everything just before.
    { cwd: root, env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', PARLEY_IS_BUILT: '1' } },
  )
  onEnd(() => child.kill())
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const told = existsSync(report)
    ? (JSON.parse(read(report)) as { testResults: { assertionResults: Told[] }[] }).testResults.flatMap(
        ({ assertionResults }) => assertionResults,
      )
    : []
  return { exitCode, output, told }
}

const read = (file: string) => readFileSync(file, 'utf8')

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : testFiles(path)
    return isTestFile(entry.name) ? [path] : []
  })
}

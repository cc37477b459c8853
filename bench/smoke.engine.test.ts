/** That the benchmark measures something on PostgreSQL as well, and that nothing is lost. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('on PostgreSQL, with one node and with three, every scenario has figures, and nothing is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-smoke-'))
  try {
    const json = join(folder, 'bench.json')
    const program = fileURLToPath(new URL('./dist/main.js', import.meta.url))
    const args = [program, '--quick', '--seconds', '0.2', '--only', 'P', '--json', json]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { runs } = JSON.parse(readFileSync(json, 'utf8'))
    expect(runs.length).toBeGreaterThanOrEqual(10)
    for (const { title, server, sample } of runs) {
      for (const [name, figure] of Object.entries(sample)) {
        expect(figure, `${name} of ${title}, ${server}`).toSatisfy(Number.isFinite)
      }
      expect(sample.lost, `${title}, ${server}`).toBe(0)
      expect(stdout).toContain(title)
      const isAcross = server === 'parley' && title.startsWith('3 nodes') && !title.includes('on one each (')
      if (isAcross) expect(sample.busBytesHeard, title).toBeGreaterThan(0)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

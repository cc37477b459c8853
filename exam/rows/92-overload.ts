import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Overload } from '../../bench/scenarios/overload.ts'
import { judge, type Row } from '../row.ts'

/** The benchmark's own load, in processes of its own. */
const program = fileURLToPath(new URL('../../bench/dist/overload.js', import.meta.url))
const [NIGHT_SECONDS, DAY_SECONDS] = [60, 10]

export const row: Row = {
  id: 92,
  tier: 'n',
  title: 'three times what the server can do: nearly all of what it can is done, the rest is told when to come back',
  async run({ isNight, signal, onEnd }) {
    const folder = mkdtempSync(join(tmpdir(), 'parley-overload-'))
    onEnd(() => rmSync(folder, { recursive: true, force: true }))
    const json = join(folder, 'overload.json')
    const seconds = String(isNight ? NIGHT_SECONDS : DAY_SECONDS)
    const args = [program, '--seconds', seconds, '--json', json]
    // It exits with 1 if something does not hold; what, is in the file.
    await promisify(execFile)(process.execPath, args, { signal }).catch(() => undefined)
    const { holds, ...found } = JSON.parse(readFileSync(json, 'utf8')) as Overload
    return judge({
      bites: Math.round((found.heldPerSecond + found.refusedPerSecond) * Number(seconds)),
      figures: {
        capacity: Math.round(found.capacityPerSecond),
        offered: Math.round(found.offeredPerSecond),
        keptBack: Math.round(found.heldPerSecond),
        refused: Math.round(found.refusedPerSecond),
        carriedOut: Math.round(found.acknowledgedPerSecond),
        ackP99Ms: Math.round(found.latencies.p99),
        retryAfterMs: Math.round(found.retryAfterMs.middle),
        backAfterMs: Math.round(found.backAfterMs),
        typingHeard: found.typingHeard.map((share) => Math.round(share * 100)).join('/'),
        lost: found.missing + found.undelivered,
        silent: found.silent,
      },
      holds,
    })
  },
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@parley/testkit'
import { now } from '../load/recorder.ts'
import { chatter } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const SIZE = '24m'
const RESUME_MS = 5_000
const FULL_FOR_MS = 4_000
/** What a device may wait after so many refusals in a row. */
const BACK_OFF_MS = 16_000

export const row: Row = {
  id: 7,
  tier: 'n',
  title: 'the disk is full in the middle of the load, then there is room again',
  async run(context) {
    const folder = mkdtempSync(join(tmpdir(), 'parley-full-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], { stdio: 'pipe' })
    } catch (error) {
      rmSync(folder, { recursive: true })
      return judge({ bites: 0, figures: { missing: `a small disk of its own (${String(error).slice(0, 80)})` } })
    }
    context.onEnd(() => {
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true })
    })
    const world = await World.open(context, { dataFolder: folder })
    const devices = await world.team(['alice', 'alice', 'ben', 'cleo'])
    const conversation = await world.conversation(devices)
    const load = chatter(devices, conversation, 4)
    await until(() => world.recorder.acknowledged > 100, 'the load is running')
    const filler = join(folder, 'filler')
    const fill = () => {
      const { bavail, bsize } = statfsSync(folder)
      if (bavail > 0) writeFileSync(filler, Buffer.alloc(bavail * bsize), { flag: 'a' })
    }
    for (const endsAt = now() + FULL_FOR_MS; now() < endsAt; ) {
      try {
        fill()
      } catch {
        // As full as it gets.
      }
      await pause(100)
    }
    const token = await world.server.signIn('alice').catch((error: Error) => error.message)
    const stuckAt = world.recorder.acknowledged
    await pause(500)
    const isStopped = world.recorder.acknowledged === stuckAt
    const answersReads = await fetch(`${world.server.url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
    const complaints = world.server.record.lines.filter((line) => /store could not be used/.test(line)).length
    unlinkSync(filler)
    const freedAt = now()
    world.heal()
    await until(() => world.recorder.acknowledged > stuckAt + 10, 'writing goes on')
    const resumeMs = now() - freedAt
    await load.stop()
    // Devices that were told to come back later may still be waiting their turn.
    const { findings, figures } = await world.examine({ timeoutMs: 40_000, graceMs: BACK_OFF_MS })
    return judge({
      bites: isStopped ? complaints : 0,
      findings,
      figures: { ...figures, resumeMs: Math.round(resumeMs), signIn: token.slice(0, 60) },
      holds: {
        'the server answered while nothing could be written': answersReads,
        'it went on by itself': resumeMs <= RESUME_MS * context.slowness,
        'it was the same process all along': world.server.record.unaskedExits.length === 0,
      },
    })
  },
}

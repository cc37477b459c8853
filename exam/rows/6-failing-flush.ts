import { until } from '@parley/testkit'
import { FLUSH_HAS_FAILED, failingFlush } from '../instruments/failing-flush.ts'
import { hastyClock } from '../load/hasty-clock.ts'
import { allBack } from '../load/killing.ts'
import { now, type Recorder } from '../load/recorder.ts'
import { committedPositions, isIntact } from '../load/store-file.ts'
import { chatter } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const LAST = 50
const RESUME_MS = 5_000
/** A commit whose flush went well just before is in the store within this. */
const UNDER_WAY_MS = 50
/** How long a disk that stays broken is watched. */
const WATCH_MS = 400
/** Devices that were told to come back later wait by their own clock. */
const SPEED = 8

/**
 * Why going on after a failed flush is sound: SQLite takes back the commit and leaves its frames outside the log's index,
 * so the next commit writes the same place of the log anew. No acknowledgement ever rests on pages that the kernel may
 * have dropped when it reported the error.
 */
export const row: Row = {
  id: 6,
  tier: 'n',
  title: 'the disk fails the nth flush of the log, for n from 1 to 50, once or from then on',
  async run(context) {
    const failing = failingFlush(context)
    const world = await World.open(context)
    const { server, recorder } = world
    const devices = await world.team(['alice', 'alice', 'ben', 'cleo'], { clock: hastyClock(SPEED) })
    const conversation = await world.conversation(devices)
    const load = chatter(devices, conversation, 4)
    const outcomes = {
      ...{ bites: 0, wentOn: 0, exited: 0, held: 0 },
      ...{ committedUnflushed: 0, acknowledgedUnflushed: 0, intact: 0, resumeMs: 0 },
    }
    for (let nth = 1; nth <= LAST; nth++) {
      // Every other time the disk stays broken: then nothing at all may be acknowledged any more.
      const stays = nth % 2 === 0
      await server.kill()
      if (isIntact(server.dataFolder)) outcomes.intact++
      await server.start({ env: failing(nth, stays) })
      server.expectEnd()
      await until(() => nudged(world), 'all devices are back')
      await server.process.line(FLUSH_HAS_FAILED)
      outcomes.bites++
      const bitAt = now()
      if (stays) {
        await pause(UNDER_WAY_MS)
        const flushed = committedPositions(server.dataFolder)
        await pause(WATCH_MS)
        outcomes.committedUnflushed += committedPositions(server.dataFolder).size - flushed.size
        outcomes.acknowledgedUnflushed += acknowledgedSince(bitAt, recorder).filter((id) => !flushed.has(id)).length
        outcomes.held++
        continue
      }
      const before = recorder.acknowledged
      await until(() => recorder.acknowledged > before + 4 || !server.process.isRunning, 'it goes on or ends')
      outcomes[server.process.isRunning ? 'wentOn' : 'exited']++
      outcomes.resumeMs = Math.max(outcomes.resumeMs, Math.round(now() - bitAt))
    }
    await server.kill()
    await server.start()
    world.heal()
    await allBack(world)
    await load.stop()
    const { findings, figures } = await world.examine()
    const { bites, ...counted } = outcomes
    return judge({
      bites,
      findings,
      figures: { ...figures, ...counted },
      holds: {
        'each flush from 1 to 50 failed once': bites === LAST,
        'nothing was committed while no flush went well': outcomes.committedUnflushed === 0,
        'what was acknowledged then had been flushed before': outcomes.acknowledgedUnflushed === 0,
        'the store was whole after each': outcomes.intact === LAST,
        'it went on, or ended by itself, in time': outcomes.resumeMs <= RESUME_MS * context.slowness,
      },
    })
  },
}

/** The messages whose sending was acknowledged since then: an answer may be late, and who comes back reads what is there. */
const acknowledgedSince = (moment: number, { operations }: Recorder): readonly string[] =>
  operations.flatMap(({ message, outcome }) =>
    message && outcome.state === 'ok' && outcome.at > moment ? [message] : [],
  )

function nudged({ devices }: World): boolean {
  for (const device of devices) device.nudge()
  return devices.every((device) => device.isLive)
}

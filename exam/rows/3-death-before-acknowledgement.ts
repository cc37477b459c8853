import { until } from '@parley/testkit'
import { allBack } from '../load/killing.ts'
import { committedPositions } from '../load/store-file.ts'
import { chatter } from '../load/workloads.ts'
import { World } from '../load/world.ts'
import { judge, type Row, type RowContext } from '../row.ts'

/** The server dies by itself, at a moment of the nth batch with a message in it. */
async function dieAt(context: RowContext, moment: 'before-publish' | 'after-publish') {
  const world = await World.open(context, { env: { PARLEY_FAIL_POINT: `${moment} ${5 + context.chance.below(20)}` } })
  const devices = await world.team(['alice', 'alice', 'ben', 'cleo'])
  const conversation = await world.conversation(devices)
  world.server.expectEnd()
  const load = chatter(devices, conversation, 4)
  const { signal } = await world.server.process.exit
  await until(() => devices.every((device) => !device.isLive), 'the devices have noticed')
  const committed = committedPositions(world.server.dataFolder)
  const unheard = world.recorder.operations.filter(
    ({ message, outcome }) => outcome.state === 'unknown' && message !== undefined && committed.has(message),
  )
  await world.server.start()
  world.heal()
  await allBack(world)
  await load.stop()
  const { findings, figures, history } = await world.examine()
  const after = new Map(history.operations.map((one) => [one.id, one.outcome]))
  const isSame = unheard.every(({ id, message }) => {
    const outcome = after.get(id)
    return outcome?.state === 'ok' && outcome.position === committed.get(message!)
  })
  return {
    bites: signal === 'SIGKILL' ? unheard.length : 0,
    findings,
    figures,
    committedUnheard: unheard.length,
    holds: { 'each kept the position of its first commit': isSame },
  }
}

export const rows: readonly Row[] = [
  {
    id: 3,
    tier: 'q',
    title: 'the server dies after a commit and before its acknowledgement',
    async run(context) {
      const { figures, committedUnheard, ...outcome } = await dieAt(context, 'before-publish')
      return judge({ ...outcome, figures: { ...figures, committedUnheard } })
    },
  },
  {
    id: 4,
    tier: 'q',
    title: 'the server dies between commit and hint, then between hint and the first byte written of it',
    async run(context) {
      const untold = await dieAt(context, 'before-publish')
      const unwritten = await dieAt(context, 'after-publish')
      return judge({
        bites: Math.min(untold.bites, unwritten.bites),
        // C10 among them: whoever listens has everything five seconds after the server is back.
        findings: [...untold.findings, ...unwritten.findings],
        figures: {
          untold: untold.committedUnheard,
          unwritten: unwritten.committedUnheard,
          acknowledged: untold.figures.acknowledged! + unwritten.figures.acknowledged!,
          levelAfterMs: Math.max(untold.figures.levelAfterMs!, unwritten.figures.levelAfterMs!),
        },
        holds: {
          'each kept the position of its first commit': [untold, unwritten].every((one) =>
            Object.values(one.holds).every(Boolean),
          ),
        },
      })
    },
  },
]

import type { judge, RowContext } from '../row.ts'
import { now } from './recorder.ts'
import { until } from './until.ts'
import { chatter } from './workloads.ts'
import { pause, type World } from './world.ts'

export interface Killing {
  readonly rounds: number
  readonly life: { readonly shortest: number; readonly longest: number }
}

/** A server that is back must be ready within this, and its clients live within that. */
const READY_MS = 2_000
const LIVE_MS = 5_000

/** Kills the server again and again while everybody sends; then all must be there, once, in order. */
export async function ending(
  world: World,
  { chance, slowness }: RowContext,
  { rounds, life }: Killing,
): Promise<Parameters<typeof judge>[0]> {
  const devices = await world.team(['alice', 'alice', 'ben', 'cleo'])
  const conversation = await world.conversation(devices)
  devices[3]!.watch(conversation)
  const load = chatter(devices, conversation, 4)
  const { server, recorder } = world
  let kills = 0
  const back: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = recorder.acknowledged
    await until(() => recorder.acknowledged > before, 'something is acknowledged in this life of the server')
    await pause(life.shortest + chance.below(life.longest - life.shortest))
    await server.kill()
    kills++
    await server.start()
    const readyAt = now()
    // Without a hint, each further death would make the devices wait longer: they take it for a server in trouble.
    const hints = setInterval(() => nudge(world, round), 50)
    await until(() => devices.every((device) => device.isLive), 'all devices are back')
    clearInterval(hints)
    back.push(now() - readyAt)
  }
  world.heal()
  await load.stop()
  const { findings, figures } = await world.examine()
  const readyMs = Math.max(...server.readyMs)
  return {
    bites: kills,
    findings,
    figures: { ...figures, readyMs: Math.round(readyMs), backMs: Math.round(Math.max(...back)) },
    holds: {
      [`the server was ready within ${READY_MS} ms`]: readyMs <= READY_MS * slowness,
      [`all devices were live within ${LIVE_MS} ms`]: Math.max(...back) <= LIVE_MS * slowness,
    },
  }
}

/** The first time nobody helps. */
function nudge({ devices }: World, round: number): void {
  if (round > 0) for (const device of devices) device.nudge()
}

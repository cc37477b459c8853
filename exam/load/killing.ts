import type { judge, RowContext } from '../row.ts'
import { now } from './recorder.ts'
import { isIntact } from './store-file.ts'
import { until } from './until.ts'
import { chatter } from './workloads.ts'
import { pause, type World } from './world.ts'

export interface Killing {
  /** Ends after so many, or when this time is over. */
  readonly rounds: number
  readonly forMs?: number
  readonly life: { readonly shortest: number; readonly longest: number }
  readonly window: number
}

/** A server that is back must be ready within this, and its clients live within that. */
const READY_MS = 2_000
const LIVE_MS = 5_000

/** Kills the server again and again while everybody sends; then all must be there, once, in order. */
export async function killAgainAndAgain(
  world: World,
  { chance, slowness }: RowContext,
  { rounds, forMs = Number.POSITIVE_INFINITY, life, window }: Killing,
): Promise<Parameters<typeof judge>[0]> {
  const devices = await world.team(['alice', 'alice', 'ben', 'cleo'])
  const conversation = await world.conversation(devices)
  devices[3]!.watch(conversation)
  const load = chatter(devices, conversation, window)
  const { server, recorder } = world
  const endsAt = now() + forMs
  let intact = 0
  const back: number[] = []
  while (back.length < rounds && now() < endsAt) {
    const before = recorder.acknowledged
    await until(() => recorder.acknowledged > before, 'something is acknowledged in this life of the server')
    await pause(life.shortest + chance.below(life.longest - life.shortest))
    await server.kill()
    if (isIntact(server.dataFolder)) intact++
    await server.start()
    const readyAt = now()
    // The first time nobody helps. Later each death would make the devices wait longer: they take it for a server in trouble.
    const isHelped = back.length > 0
    const hints = setInterval(() => isHelped && nudgeAll(world), 50)
    await until(() => devices.every((device) => device.isLive), 'all devices are back')
    clearInterval(hints)
    back.push(now() - readyAt)
  }
  world.heal()
  await load.stop()
  const { findings, figures } = await world.examine()
  const readyMs = Math.max(...server.readyMs)
  return {
    bites: back.length,
    findings,
    figures: { ...figures, intact, readyMs: Math.round(readyMs), backMs: Math.round(Math.max(...back)) },
    holds: {
      'the store was whole after every death': intact === back.length,
      [`the server was ready within ${READY_MS} ms`]: readyMs <= READY_MS * slowness,
      [`all devices were live within ${LIVE_MS} ms`]: Math.max(...back) <= LIVE_MS * slowness,
    },
  }
}

export function nudgeAll({ devices }: Pick<World, 'devices'>): void {
  for (const device of devices) device.nudge()
}

/** Waits until all devices are connected, with a hint to look every now and then. */
export async function allBack(world: Pick<World, 'devices'>): Promise<void> {
  const hints = setInterval(() => nudgeAll(world), 50)
  try {
    await until(() => world.devices.every((device) => device.isLive), 'all devices are back')
  } finally {
    clearInterval(hints)
  }
}

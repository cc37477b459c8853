import { until } from '@parley/testkit'
import type { Finding } from '../checker/history.ts'
import type { RowContext } from '../row.ts'
import { RawSender } from './raw-senders.ts'
import { now } from './recorder.ts'
import { isIntact } from './store-file.ts'
import { chatter } from './workloads.ts'
import { pause, type World } from './world.ts'

export interface Killing {
  readonly rounds: number
  /** How long the server lives once something was acknowledged; short lives are likelier by the power of `bias`. */
  readonly life: { readonly shortest: number; readonly longest: number; readonly bias?: number }
  /** Messages of one device that await their acknowledgement. */
  readonly window: number
  /** Others who send over bare sockets, each this many at once, two in each of some more conversations. */
  readonly hard?: { readonly senders: number; readonly window: number }
}

/** What came of it, as a verdict needs it. */
export interface Killed {
  readonly bites: number
  readonly findings: readonly Finding[]
  readonly figures: Readonly<Record<'acknowledged' | 'levelAfterMs' | 'intact' | 'readyMs' | 'backMs', number>>
  readonly holds: Readonly<Record<string, boolean>>
}

/** A server that is back must be ready within this, and its clients live within that. */
const READY_MS = 2_000
const LIVE_MS = 5_000

/** Kills the server again and again while everybody sends; then all must be there, once, in order. */
export async function killAgainAndAgain(
  world: World,
  context: RowContext,
  { rounds, life, window, hard }: Killing,
): Promise<Killed> {
  const devices = await world.team(['alice', 'alice', 'ben', 'cleo'])
  const conversation = await world.conversation(devices)
  devices[3]!.watch(conversation)
  const { server, recorder } = world
  const { chance, slowness } = context
  const loads = [chatter(devices, conversation, window), ...(hard ? await rawSenders(context, world, hard) : [])]
  let intact = 0
  const back: number[] = []
  while (back.length < rounds) {
    const before = recorder.acknowledged
    await until(() => recorder.acknowledged > before, 'something is acknowledged in this life of the server')
    await pause(life.shortest + (life.longest - life.shortest) * chance.number() ** (life.bias ?? 1))
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
  await Promise.all(loads.map((load) => load.stop()))
  const { findings, figures } = await world.examine()
  const readyMs = Math.max(...server.readyMs)
  return {
    bites: back.length,
    findings,
    figures: {
      acknowledged: figures.acknowledged ?? 0,
      levelAfterMs: figures.levelAfterMs ?? 0,
      intact,
      readyMs: Math.round(readyMs),
      backMs: Math.round(Math.max(...back)),
    },
    holds: {
      'the store was whole after every death': intact === back.length,
      [`the server was ready within ${READY_MS} ms`]: readyMs <= READY_MS * slowness,
      [`all devices were live within ${LIVE_MS} ms`]: Math.max(...back) <= LIVE_MS * slowness,
    },
  }
}

async function rawSenders(context: RowContext, world: World, { senders, window }: NonNullable<Killing['hard']>) {
  const { server, recorder, devices } = world
  const loads: RawSender[] = []
  for (let i = 0; i < senders; i += 2) {
    const conversation = await world.conversation(devices)
    for (const name of [`raw ${i + 1}`, `raw ${i + 2}`]) {
      await (await devices[0]!.client.conversation(conversation).addParticipants([name])).acknowledged
      const token = await server.signIn(name)
      const sender = new RawSender({ url: server.websocketUrl, token, name, recorder }, conversation, window)
      context.onEnd(() => sender.close())
      loads.push(sender)
    }
  }
  return loads
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

import type { ConversationId } from '@parley/protocol'
import { until } from '@parley/testkit'
import type { CheckId } from '../checker/check.ts'
import { arrivalDelays } from '../checker/checks/wake-up.ts'
import { type Finding, type History, sendsOf } from '../checker/history.ts'
import { percentile } from '../checker/percentile.ts'
import type { Figures, RowContext } from '../row.ts'
import type { ExamDevice } from './device.ts'
import type { ExamCluster, ExamClusterOptions } from './exam-cluster.ts'
import { nudgeAll } from './killing.ts'
import { levelOf } from './layer-level.ts'
import { LayerPerson } from './layer-person.ts'
import { RawSender } from './raw-senders.ts'
import { RawVisitor } from './raw-visitor.ts'
import { now } from './recorder.ts'
import { mixed } from './workloads.ts'
import { pause, World } from './world.ts'

/** What a fault is given to do its work. */
export interface Scene {
  readonly world: World<ExamCluster>
  readonly cluster: ExamCluster
  readonly devices: readonly ExamDevice[]
  readonly conversations: readonly ConversationId[]
}

export interface FaultOptions {
  readonly cluster?: ExamClusterOptions
  /** How many others send over bare sockets besides, in pairs; default none. They make the numbers. */
  readonly hardSenders?: number
  /** What each of them has under way, and how long it then waits with the next. */
  readonly hardness?: { readonly window: number; readonly pauseMs: number }
  /** People with Layer's SDK; default one. */
  readonly guests?: readonly string[]
  /** Before and after the fault. */
  readonly calmMs?: number
  /** Where the devices connect; default: the balancer. */
  readonly websocketUrl?: (cluster: ExamCluster) => Promise<string>
  /** Makes it happen and ends it. Answers how often it bit. */
  readonly fault: (scene: Scene) => Promise<number>
  readonly except?: readonly CheckId[]
  readonly graceMs?: number
}

export interface ThroughAFault {
  readonly bites: number
  readonly findings: readonly Finding[]
  readonly figures: Figures
  readonly history: History
  /** From asking to the acknowledgement, for 99 of 100 messages of devices. */
  readonly sendP99Ms: number
  /** From the acknowledgement to the other screens, the longest of those messages that were accepted between two moments. */
  longestWayMs(from: number, to: number): number
  /** What the server refused for good, and the app was told. */
  readonly refused: number
  /** Sentences about the guest with Layer's SDK → whether they hold. */
  readonly holds: Readonly<Record<string, boolean>>
}

const SETTLE_MS = 30_000
/** Between two actions of a device: all of them, their proxies and the balancer share one processor with the checker. */
const PAUSE_MS = 150
/**
 * What one hard sender has under way, and how long it then waits with the next: with six of them 120 a second by day and
 * 480 by night, when there is a processor to spare for nodes, store and bus.
 */
const HARD = { window: 2, pauseMs: 100 }
const HARD_BY_NIGHT = { window: 8, pauseMs: 100 }

/** People on all nodes chat, Layer's SDK among them; something happens; it ends; and everything is looked at. */
export async function throughAFault(context: RowContext, options: FaultOptions): Promise<ThroughAFault> {
  const { cluster: clusterOptions, hardSenders: hard = 0, calmMs = 3_000, guests: names = ['lena'], fault } = options
  const hardness = options.hardness ?? (context.isNight ? HARD_BY_NIGHT : HARD)
  const world = await World.openCluster(context, clusterOptions)
  const { server: cluster, recorder } = world
  const websocketUrl = (await options.websocketUrl?.(cluster)) ?? cluster.websocketUrl
  const devices: ExamDevice[] = []
  // One after the other, so that the balancer gives each node some.
  for (const userId of ['alice', 'alice', 'ben', 'ben', 'cleo', 'cleo']) {
    devices.push(await world.signedIn(userId, { websocketUrl }))
  }
  const guests: LayerPerson[] = []
  for (const name of names) guests.push(await LayerPerson.signedIn(context, world, name))
  const conversations = [await world.conversation(devices), await world.conversation(devices)]
  const mild = conversations[1]!
  await (await devices[0]!.client.conversation(mild).addParticipants(names)).acknowledged
  devices[5]!.watch(mild)

  const chats = await Promise.all(guests.map((guest) => guest.chat(mild)))
  const loads = [
    mixed({ world, chance: context.chance, conversations, pauseMs: PAUSE_MS }),
    ...(await hardSenders(context, world, { senders: hard, ...hardness })),
  ]
  await until(() => recorder.acknowledged > 30, 'the load is running')
  await pause(calmMs)
  const bites = await fault({ world, cluster, devices, conversations })
  const nudges = setInterval(() => nudgeAll(world), 500)
  context.onEnd(() => clearInterval(nudges))
  await backWithin(devices)
  await pause(calmMs)
  // Layer's SDK comes back when it thinks fit.
  await Promise.all(chats.map((chat) => chat.stop()))
  world.heal()
  await Promise.all(loads.map((load) => load.stop()))
  const { findings, figures, history } = await world.examine({
    timeoutMs: SETTLE_MS * context.slowness,
    ...(options.except && { except: options.except }),
    ...(options.graceMs !== undefined && { graceMs: options.graceMs }),
  })
  clearInterval(nudges)
  const sends = sendsOf(history.operations)
  const isGuest = (device: string) => names.includes(device)
  const waits = sends.flatMap(({ outcome, invokedAt, device }) =>
    outcome.state === 'ok' && !isGuest(device) && !device.startsWith('raw') ? [outcome.at - invokedAt] : [],
  )
  const own = sends.filter(({ device }) => isGuest(device)).length
  const levels = await Promise.all(guests.map((guest) => levelOf(guest, mild, history)))
  const differences = levels.map(({ difference }) => difference)
  const ghosts = levels.reduce((sum, level) => sum + level.ghosts, 0)
  const untold = guests.reduce((sum, guest) => sum + guest.untold, 0)
  return {
    bites,
    findings: [...findings, ...levels.flatMap(({ story }) => story)],
    history,
    figures: { ...figures, layer: own, ...(untold > 0 && { untold }), ...(ghosts > 0 && { ghosts }) },
    sendP99Ms: Math.round(percentile(waits, 0.99)),
    longestWayMs: (from, to) =>
      Math.round(
        Math.max(
          0,
          ...arrivalDelays(history).flatMap(({ acceptedAt, delayMs }) =>
            acceptedAt >= from && acceptedAt <= to ? [delayMs] : [],
          ),
        ),
      ),
    refused: history.operations.filter(({ outcome }) => outcome.state === 'failed').length,
    holds: {
      'who uses Layer’s SDK was heard': own > 0,
      [`Layer’s SDK shows what the store has (${differences.join('; ')})`]: differences.every((one) => one === ''),
    },
  }
}

/** They talk in pairs, and what the store has for them is looked at in the end. */
async function hardSenders(
  context: RowContext,
  world: World<ExamCluster>,
  { senders, window, pauseMs }: { readonly senders: number; readonly window: number; readonly pauseMs: number },
): Promise<RawSender[]> {
  const { server, recorder } = world
  const loads: RawSender[] = []
  for (let i = 0; i < senders; i += 2) {
    const names = [`raw-${i + 1}`, `raw-${i + 2}`]
    const founder = await RawVisitor.greeted(server.websocketUrl, await server.signIn(names[0]!))
    const conversation = await founder.conversation([names[1]!])
    founder.socket.terminate()
    world.readers.push(names[0]!)
    for (const name of names) {
      const token = await server.signIn(name)
      const options = { url: server.websocketUrl, token, name, recorder, pauseMs }
      const sender = new RawSender(options, conversation, window)
      context.onEnd(() => sender.close())
      loads.push(sender)
    }
  }
  return loads
}

/** How long until all devices are connected again. */
export async function backWithin(devices: readonly ExamDevice[], timeoutMs = 30_000): Promise<number> {
  const startedAt = now()
  await until(() => devices.every((device) => device.isLive), 'all devices are connected', timeoutMs)
  return Math.round(now() - startedAt)
}

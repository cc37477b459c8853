/**
 * One world from one seed: the real server and the real SDK in this process, on clocks, lines and disks that chance
 * rules. It lives through its plan, is healed, comes to rest, and is looked over.
 *
 *     plan ─► steps, while lines break and machines crash ─► heal ─► quiet ─► check ─► findings
 */
import { createHash } from 'node:crypto'
import { type Uuid, uuidv7 } from '@parley/protocol'
import { operations } from '@parley/server/in-process'
import { SeededChance } from '../seeded-chance.ts'
import { checkWorld } from './check/check-world.ts'
import { isAtRest } from './check/is-at-rest.ts'
import type { Deed } from './deeds.ts'
import { Device } from './device.ts'
import { DeviceDisk } from './device-disk.ts'
import type { Mutation } from './mutations.ts'
import type { Plan } from './plan.ts'
import { ServerDisk } from './server-disk.ts'
import { ServerMachine } from './server-machine.ts'
import { cuts, performers, type Stage } from './steps.ts'
import { tellFrame } from './tell-frame.ts'
import { Timeline } from './timeline.ts'

/** After healing everything must be level within this; back-off alone may take half a minute. */
const REST_LIMIT_MS = 240_000

/** The answer to the creation of a conversation, in a frame. */
const MADE = /^\{"type":"acknowledgement","id":"([^"]+)","result":\{"conversation":"layer:\/\/\/conversations\/([^"]+)"/

/** A refusal that is meant to stand. */
const REFUSED =
  /^\{"type":"acknowledgement","id":"([^"]+)","refusal":\{"id":"(?!service_unavailable|rate_limit_exceeded)/

export interface Outcome {
  readonly seed: number
  /** What is wrong, in sentences; empty if all is well. */
  readonly findings: readonly string[]
  readonly figures: Figures
  /** Of everything that travelled and was stored: the same for the same seed; empty unless it was asked for. */
  readonly digest: string
  /** Who did what and when; empty unless it was asked for. */
  readonly story: readonly string[]
}

export type Figures = Readonly<Record<FigureName, number>>
export type FigureName =
  | 'steps'
  | 'operations'
  | 'acknowledged'
  | 'refused'
  | 'frames'
  | 'cuts'
  | 'serverCrashes'
  | 'commitsLost'
  | 'commitsKept'
  | 'commitsRefused'
  | 'deviceCrashes'
  | 'deviceWritesLost'
  | 'tabsStolenFrom'
  | 'tabWritesFenced'
  | 'commits'
  | 'happenings'
  | 'restMs'

export interface RunOptions {
  readonly withStory?: boolean
  readonly withDigest?: boolean
  readonly mutation?: Mutation
}

export async function runWorld(plan: Plan, options: RunOptions = {}): Promise<Outcome> {
  const timeline = new Timeline()
  const chance = new SeededChance(plan.seed ^ 0x5eed)
  const findings: string[] = []
  const story: string[] = []
  const hash = options.withDigest ? createHash('sha256') : undefined
  const deeds: Deed[] = []
  /** At the beginning and at the end nothing breaks. */
  let isCalm = true
  let frames = 0
  let bitten = 0
  let texts = 0
  /** Operations the server refused for good at least once, whether anybody heard it or not. */
  const refused = new Set<string>()
  const line: Parameters<Mutation>[0]['line'] = { tamper: (_direction, text) => text }
  /** Conversations asked for → what the server made of them. */
  const aliases = new Map<string, string>()
  const at = () => `${(timeline.now / 1_000).toFixed(3).padStart(9)} s  `
  const tell = options.withStory ? (sentence: string) => void story.push(at() + sentence) : () => undefined
  const problem = (sentence: string) => {
    findings.push(sentence)
    tell(`!! ${sentence}`)
  }
  const rejected = (error: unknown) => problem(`unhandled rejection: ${(error as Error)?.stack ?? error}`)
  process.on('unhandledRejection', rejected)
  process.on('uncaughtException', rejected)
  try {
    const disk = new ServerDisk(timeline, chance, plan.serverDiskMs)
    const server = new ServerMachine(disk, { timeline, chance, hasJobs: plan.hasJobs, problem })
    const newText = () => `t${++texts}`
    const devices: Device[] = plan.devices.map((person, i) => {
      const userId = plan.people[person]!
      const own = new SeededChance(plan.seed * 31 + i)
      const name = `${userId}/${i + 1}`
      return new Device(name, userId, new DeviceDisk(timeline, own, plan.deviceDiskMs), {
        timeline,
        server,
        plan,
        chance: own,
        deeds,
        isCalm: () => isCalm,
        tell,
        problem,
        newText,
        tamper: (direction, text) => line.tamper(direction, text),
        onSaid(text) {
          const no = REFUSED.exec(text)
          if (no) refused.add(no[1]!)
        },
        onFrame(direction, text) {
          frames++
          const made = direction === 'down' ? MADE.exec(text) : null
          if (made) aliases.set(made[1]!, made[2]!)
          hash?.update(`${direction}${timeline.now}${text}`)
          if (options.withStory) tell(`${name} ${direction === 'up' ? '→' : '←'} ${tellFrame(text)}`)
          if (isCalm || chance.number() >= plan.cutRate) return undefined
          bitten++
          const how = chance.pick(cuts)
          tell(`${name}: the line breaks (${how})`)
          return how
        },
      })
    })
    options.mutation?.({ disk, devices, server, line })
    disk.onCommit = (writes) => {
      hash?.update(`commit ${writes.cursor} ${writes.messages.length}`)
      if (options.withStory) tell(`server: commit ${writes.cursor}`)
    }
    const stage: Stage = { plan, timeline, server, devices, deeds, tell, newText, askOtherDoor }
    let doors = 0

    function askOtherDoor(of: Omit<Deed, 'number'>, name: keyof typeof operations, input: object): void {
      const { edge } = server
      if (!edge) return
      const deed: Deed = { ...of, number: deeds.length + 1 }
      deeds.push(deed)
      const id = uuidv7(server.now, new SeededChance(plan.seed * 7 + ++doors).bytes(10)) as Uuid
      deed.operationId = id
      void edge.lane
        .submit({
          operation: operations[name].operation as never,
          input: input as never,
          app: 1 as never,
          userId: deed.userId as never,
          operationId: id,
        })
        .then((outcome) => {
          if ('refusal' in outcome) deed.wasRefused = true
          else if (server.edge === edge) deed.acknowledged = outcome.result
        })
    }

    await settledWithin(timeline, server.install(plan.sessionSeconds))
    void server.start()
    await timeline.pass(100)
    for (const device of devices) device.signIn(device.userId)
    await timeline.pass(20_000, () => devices.every((device) => device.isLive))
    isCalm = false

    for (const step of plan.steps) {
      await timeline.pass(step.gapMs)
      const device = devices[step.device % devices.length]!
      // Who is signed out can do little else.
      const name = device.client.state.state === 'unauthenticated' && step.dice[2] < 0.5 ? 'sign-in' : step.name
      tell(`── ${name} (${device.name})`)
      performers[name](stage, device, step.dice)
    }
    await timeline.pass(0)

    isCalm = true
    tell('══ all faults end')
    const healedAt = timeline.now
    disk.fullUntil = 0
    disk.onNextCommit = undefined
    for (const device of devices) {
      device.disk.failures = 0
      device.disk.onNextCommit = undefined
      // Lines that nobody knows to be dead are found out by the ends themselves; that is part of what is checked.
    }
    const isLate = () => timeline.now - healedAt >= REST_LIMIT_MS
    for (let quietFor = 0; quietFor < 2 && !isLate(); ) {
      if (!server.isUp) void server.start()
      for (const device of devices) {
        const { state } = device.client.state
        device.mend()
        if (state === 'unauthenticated') device.signIn(device.userId)
        if (device.client.state.state !== 'closed') device.client.connect()
      }
      await timeline.pass(500)
      // Twice in a row: a line may just have turned out to be dead, a session may just have ended.
      quietFor = isAtRest(disk.tables, devices) ? quietFor + 1 : 0
    }
    const restMs = timeline.now - healedAt
    findings.push(...(await checkWorld({ tables: disk.tables, devices, deeds, aliases, refused, timeline })))
    const figures: Figures = {
      steps: plan.steps.length,
      operations: deeds.length,
      acknowledged: deeds.filter((deed) => deed.acknowledged !== undefined).length,
      refused: deeds.filter((deed) => deed.wasRefused).length,
      frames,
      cuts: bitten + plan.steps.filter(({ name }) => name === 'cut').length,
      serverCrashes: server.crashes,
      commitsLost: disk.lostAtCrash,
      commitsKept: disk.keptAtCrash,
      commitsRefused: disk.refused,
      deviceCrashes: devices.reduce((sum, device) => sum + device.crashes, 0),
      deviceWritesLost: devices.reduce((sum, device) => sum + device.disk.lost, 0),
      tabsStolenFrom: devices.reduce((sum, device) => sum + device.stolen, 0),
      tabWritesFenced: devices.reduce((sum, device) => sum + device.fenced, 0),
      commits: disk.commits,
      happenings: timeline.happened,
      restMs,
    }
    for (const device of devices) for (const client of device.clients) void client.close().catch(() => undefined)
    await timeline.pass(0)
    return { seed: plan.seed, findings, figures, digest: hash?.digest('hex') ?? '', story }
  } finally {
    process.off('unhandledRejection', rejected)
    process.off('uncaughtException', rejected)
  }
}

async function settledWithin(timeline: Timeline, promise: Promise<void>): Promise<void> {
  await timeline.pass(1_000)
  await promise
}

/**
 * What will be tried in one world: who is there, how good the lines and disks are, and one step after the other. A plan
 * is plain data made from the seed alone, so that a failing one can be made smaller by leaving steps out.
 */
import { SeededChance } from '../seeded-chance.ts'

export const STEP_WEIGHTS = {
  create: 6,
  send: 30,
  'mark-read': 9,
  'other-door': 5,
  'set-metadata': 4,
  'delete-metadata': 1,
  add: 3,
  remove: 3,
  leave: 2,
  'delete-for-me': 2,
  'delete-for-all': 1,
  'delete-message-for-me': 2,
  'delete-message-for-all': 3,
  typing: 2,
  'settle-failed': 3,
  cut: 8,
  disconnect: 2,
  connect: 3,
  'restart-device': 2,
  'crash-device': 4,
  'sign-out': 2,
  'sign-in': 4,
  'crash-server': 4,
  'stop-server': 1,
  'start-server': 3,
  'server-disk-full': 1,
  'device-disk-fails': 1,
  'clock-jump': 1,
  'server-clock-jump': 1,
  hint: 1,
  wait: 5,
} as const

/** What happens where people have several tabs. */
const TAB_STEP_WEIGHTS = { 'open-tab': 6, 'switch-tab': 4, 'close-tab': 2, 'crash-tab': 3, 'freeze-tab': 4 } as const

export type StepName = keyof typeof STEP_WEIGHTS | keyof typeof TAB_STEP_WEIGHTS

export interface Step {
  readonly name: StepName
  /** How long after the step before. */
  readonly gapMs: number
  readonly device: number
  /** What is left to chance within the step, so that leaving out another step doesn't change it. */
  readonly dice: readonly [number, number, number]
}

export interface Plan {
  readonly seed: number
  readonly people: readonly string[]
  /** The person of each device; several may be of one. */
  readonly devices: readonly number[]
  readonly latencyMs: number
  readonly serverDiskMs: number
  readonly deviceDiskMs: number
  /** How likely it is that a line breaks at a frame. */
  readonly cutRate: number
  readonly maxUnsentBytes: number
  readonly sessionSeconds: number | null
  /** Whether the server's clock starts jobs. */
  readonly hasJobs: boolean
  /** How likely it is that the app's token function has nothing good to give. */
  readonly handlerTrouble: number
  /** How likely it is that a request over HTTP or its answer is lost. */
  readonly requestTrouble: number
  /** Whether devices are browsers, with several tabs that share one copy. */
  readonly hasTabs: boolean
  readonly steps: readonly Step[]
}

const PEOPLE = ['ann', 'bob', 'cleo', 'dan'] as const

export function planOf(seed: number): Plan {
  const chance = new SeededChance(seed)
  // Most worlds are small: what goes wrong at all goes wrong there as well, and is told in fewer lines.
  const isSmall = chance.below(5) > 0
  const people = PEOPLE.slice(0, 2 + chance.below(isSmall ? 2 : 3))
  const more = isSmall ? chance.below(2) : 1 + chance.below(3)
  const devices = [0, 1, ...Array.from({ length: more }, () => chance.below(people.length))]
  const steps = isSmall ? 8 + chance.below(15) : 30 + chance.below(41)
  const plan = {
    seed,
    people,
    devices,
    latencyMs: chance.pick([0, 5, 40, 40, 600]),
    serverDiskMs: chance.pick([0, 4, 4, 30]),
    deviceDiskMs: chance.pick([0, 0, 4, 20]),
    cutRate: chance.pick([0, 0, 0.005, 0.02]),
    maxUnsentBytes: chance.pick([1_048_576, 1_048_576, 6_000]),
    sessionSeconds: chance.pick([null, null, 3_600, 120, 40]),
    handlerTrouble: chance.pick([0, 0, 0.1, 0.4]),
    requestTrouble: chance.pick([0, 0, 0.1, 0.3]),
    hasJobs: chance.below(8) === 0,
    steps: Array.from({ length: steps }, () => step(chance, devices.length)),
  }
  // By a chance of their own, so that the other worlds are what they were before there were tabs.
  const own = new SeededChance(seed ^ 0x7ab6)
  const hasTabs = own.below(5) === 0
  return {
    ...plan,
    hasTabs,
    steps: hasTabs ? plan.steps.flatMap((one) => withTabs(own, one, devices.length)) : plan.steps,
  }
}

function withTabs(chance: SeededChance, before: Step, devices: number): Step[] {
  if (chance.below(5) >= 2) return [before]
  return [before, { ...step(chance, devices), name: weighted(chance, TAB_STEP_WEIGHTS) }]
}

function step(chance: SeededChance, devices: number): Step {
  return {
    name: weighted(chance, STEP_WEIGHTS),
    gapMs: gap(chance),
    device: chance.below(devices),
    dice: [chance.number(), chance.number(), chance.number()],
  }
}

function weighted<Name extends string>(chance: SeededChance, weights: Readonly<Record<Name, number>>): Name {
  const names = Object.keys(weights) as Name[]
  let left = chance.below(names.reduce((sum, name) => sum + weights[name], 0))
  for (const name of names) {
    left -= weights[name]
    if (left < 0) return name
  }
  return names[0]!
}

/** Mostly so short that things meet, now and then long enough for timers, rarely for a session to end. */
function gap(chance: SeededChance): number {
  const kind = chance.below(100)
  if (kind < 35) return 0
  if (kind < 65) return chance.below(10)
  if (kind < 88) return chance.below(300)
  if (kind < 98) return chance.below(5_000)
  return chance.below(90_000)
}

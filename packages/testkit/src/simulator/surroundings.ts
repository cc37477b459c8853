/** What a simulated device stands in: the world that its parts share. */
import type { SeededChance } from '../seeded-chance.ts'
import type { Deed } from './deeds.ts'
import type { Plan } from './plan.ts'
import type { ServerMachine } from './server-machine.ts'
import type { Timeline } from './timeline.ts'
import type { WireOptions } from './wire.ts'

/** What a device needs of the world around it. */
export interface Surroundings {
  readonly timeline: Timeline
  readonly server: ServerMachine
  readonly plan: Plan
  readonly chance: SeededChance
  readonly deeds: Deed[]
  /** Nothing breaks at the moment: whatever is tried works. */
  readonly isCalm: () => boolean
  readonly tell: (sentence: string) => void
  readonly problem: (sentence: string) => void
  readonly onFrame: WireOptions['onFrame']
  readonly tamper: WireOptions['tamper']
  readonly onSaid: WireOptions['onSaid']
  readonly newText: () => string
}

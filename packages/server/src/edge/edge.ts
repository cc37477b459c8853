import type { KnownApps } from '../authentication/known-apps.ts'
import type { Sessions } from '../authentication/sessions.ts'
import type { Clock } from '../clock.ts'
import type { Attendance } from '../delivery/attendance.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Tally } from '../observability/tally.ts'
import type { WriteLane } from '../operations/lane.ts'
import type { Store } from '../store/store.ts'
import type { Gate } from './gate.ts'
import type { HeldRoom } from './native/held-frames.ts'

/** What every door of the server works with. */
export interface Edge {
  readonly store: Store
  readonly lane: WriteLane
  readonly delivery: Delivery
  /** Who is here, at any server. */
  readonly attendance: Attendance
  readonly sessions: Sessions
  /** For whoever asks for a nonce. */
  readonly knownApps: KnownApps
  readonly clock: Clock
  /** Where what is done is counted. */
  readonly tally: Tally
  /** Connections that say hello go through it, so that a few at a time are looked up and told what moved. */
  readonly greetings: Gate
  /** How much connections hold of what they were sent and there is no room for yet. */
  readonly heldRoom: HeldRoom
  /** Where clients reach this server over HTTP, without a slash at the end; objects' addresses begin with it. */
  readonly baseUrl: () => string
  readonly log: (message: string, details: Record<string, unknown>) => void
}

import type { UserId } from '@parley/protocol'
import type { Clock } from '../clock.ts'
import { RecentMap } from '../model/recent-map.ts'
import type { AppKey } from '../model/state.ts'
import type { Delivery } from './delivery.ts'

/** Identities whose status and last appearance are remembered. */
const MAX_REMEMBERED = 50_000

/** Somebody, at all servers of the store together, as far as this one knows. Times are Unix milliseconds. */
export interface Attending {
  /** Whether they have a connection of any kind anywhere. */
  readonly isHere: boolean
  /** What they said of themselves last. It outlives their connections, and ends with the servers that heard it. */
  readonly status: string | null
  /** When they last came, went or said something; 0 for never. */
  readonly seenAt: number
  /** When any of this last changed, as it was noticed here. */
  readonly changedAt: number
}

/** Where the people of other servers are known, and where they hear of ours. */
export interface PeopleElsewhere {
  /** `saidAt`: when the status was said. */
  of(person: Name): {
    readonly isHere: boolean
    readonly status: string | null
    readonly saidAt: number
    readonly seenAt: number
  }
  /** @param person `at`: when the status was said; without one, since when they are here or gone */
  own(person: Name & { readonly isHere: boolean; readonly status: string | null; readonly at: number }): void
}

interface Name {
  readonly app: AppKey
  readonly userId: UserId
}

interface Remembered extends Pick<Attending, 'status' | 'seenAt' | 'changedAt'> {
  readonly saidAt: number
}
const UNKNOWN: Remembered = { status: null, saidAt: 0, seenAt: 0, changedAt: 0 }

export type AttendanceWatcher = (app: AppKey, userId: UserId) => void

/** Who is here and what they say of themselves, at this server and, once it is joined, at the others. */
export class Attendance {
  readonly #delivery: Pick<Delivery, 'isListening' | 'watch'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #remembered = new RecentMap<Remembered>()
  readonly #watchers = new Set<AttendanceWatcher>()
  #elsewhere: PeopleElsewhere | undefined

  constructor(delivery: Pick<Delivery, 'isListening' | 'watch'>, clock: Pick<Clock, 'now'>) {
    this.#delivery = delivery
    this.#clock = clock
    delivery.watch((app, userId) => this.#movedHere({ app, userId }))
  }

  of(app: AppKey, userId: UserId): Attending {
    const { status, seenAt, changedAt } = this.#recall({ app, userId })
    const elsewhere = this.#elsewhere?.of({ app, userId })
    const isHere = this.#delivery.isListening(app, userId) || elsewhere?.isHere === true
    return { isHere, status, seenAt: Math.max(seenAt, elsewhere?.seenAt ?? 0), changedAt }
  }

  /** Somebody says something of themselves at this server. */
  say(app: AppKey, userId: UserId, status: string): void {
    const known = this.#recall({ app, userId })
    if (known.status === status) return
    // What is said last counts, also if the clock of the server where something was said before is ahead.
    const saidAt = Math.max(this.#clock.now(), known.saidAt + 1)
    this.#remembered.set(app, userId, { ...known, status, saidAt })
    this.#movedHere({ app, userId })
  }

  /** Tells of everybody who came, went, or said something of themselves, wherever; the answer stops it. */
  watch(watcher: AttendanceWatcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** From now on the people of other servers count as well. {@link heard} is to be called when any of them change. */
  join(elsewhere: PeopleElsewhere): void {
    this.#elsewhere = elsewhere
  }

  /** These changed, here or elsewhere. */
  heard(people: readonly Name[]): void {
    for (const person of people) this.#changed(person)
  }

  #movedHere(person: Name): void {
    if (!this.#elsewhere) {
      this.#changed(person)
      return
    }
    this.#tellElsewhere(person)
  }

  /** It comes back by {@link heard}, if it makes a difference. */
  #tellElsewhere(person: Name): void {
    const isHere = this.#delivery.isListening(person.app, person.userId)
    const { status, saidAt } = this.#recall(person)
    const at = isHere && status !== null ? saidAt : this.#clock.now()
    this.#elsewhere?.own({ ...person, isHere, status: isHere ? status : null, at })
  }

  #changed(person: Name): void {
    const { app, userId } = person
    const now = this.#clock.now()
    const known = this.#recall(person)
    const elsewhere = this.#elsewhere?.of(person)
    const seenAt = elsewhere && !elsewhere.isHere && elsewhere.seenAt > 0 ? elsewhere.seenAt : now
    const isNews = elsewhere !== undefined && elsewhere.status !== null && elsewhere.saidAt > known.saidAt
    const said = isNews ? { status: elsewhere.status, saidAt: elsewhere.saidAt } : {}
    this.#remembered.set(app, userId, { ...known, ...said, seenAt, changedAt: now })
    this.#remembered.trim(MAX_REMEMBERED)
    // Where they are as well, that is what they say too: it holds when they leave the server where they said it.
    if (isNews && this.#delivery.isListening(app, userId)) this.#tellElsewhere(person)
    for (const watcher of this.#watchers) watcher(app, userId)
  }

  #recall({ app, userId }: Name): Remembered {
    return this.#remembered.get(app, userId) ?? UNKNOWN
  }
}

import type { Uuid } from '@parley/protocol'
import type { Clock } from '../clock.ts'
import type { Session } from '../model/state.ts'

/** A connection, as its session sees it. */
export interface SessionHolder {
  /** The session is over: say so and close. Called once. */
  ended(): void
  /** It goes on until a new time. */
  renewed(session: Session): void
  /** When it wants to hear that the end is near, in Unix milliseconds; without it, it does not hear of it. */
  warnAt?(session: Session, nowMs: number): number
  /** The end is near. Called once, and again after each time the session was renewed. */
  ending?(): void
}

/**
 * What ties a connection to its session, as that is now. It has one timer, first for the word that the end is near and then
 * for the end: of idle connections there are tens of thousands.
 */
export class Hold {
  readonly #all: Holds
  readonly #holder: SessionHolder
  #session: Session
  #cancel: () => void = nothing

  constructor(all: Holds, session: Session, holder: SessionHolder) {
    this.#all = all
    this.#holder = holder
    this.#session = session
    this.#schedule()
  }

  get session(): Session {
    return this.#session
  }

  renew(session: Session): void {
    this.#session = session
    this.#schedule()
    this.#holder.renewed(session)
  }

  /** The session is over. */
  end(): void {
    this.release()
    this.#holder.ended()
  }

  /** The connection is gone. */
  release(): void {
    this.#cancel()
    this.#all.remove(this)
  }

  #schedule(): void {
    const now = this.#all.clock.now()
    const { expiresAt } = this.#session
    const warnAt = this.#holder.warnAt?.(this.#session, now) ?? expiresAt
    this.#cancel()
    if (warnAt < expiresAt) this.#cancel = this.#all.clock.after(warnAt - now, () => this.#warn())
    else this.#scheduleEnd(now)
  }

  #warn(): void {
    this.#scheduleEnd(this.#all.clock.now())
    this.#holder.ending?.()
  }

  #scheduleEnd(now: number): void {
    this.#cancel = this.#all.clock.after(this.#session.expiresAt - now, () => this.end())
  }
}

/** The connections of each session. */
export class Holds {
  readonly clock: Clock
  /** Lists are replaced, never changed: whoever is told may leave while others are still being told. */
  readonly #bySession = new Map<Uuid, readonly Hold[]>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(session: Session, holder: SessionHolder): Hold {
    const hold = new Hold(this, session, holder)
    const others = this.#bySession.get(session.id)
    // A list that is spread out has room for sixteen more, and nearly every session has one connection.
    this.#bySession.set(session.id, others ? [...others, hold] : [hold])
    return hold
  }

  remove(hold: Hold): void {
    const { id } = hold.session
    const others = this.of(id).filter((other) => other !== hold)
    if (others.length > 0) this.#bySession.set(id, others)
    else this.#bySession.delete(id)
  }

  of(id: Uuid): readonly Hold[] {
    return this.#bySession.get(id) ?? NONE
  }

  get sessions(): readonly Session[] {
    return [...this.#bySession.values()].flatMap((holds) => holds.map(({ session }) => session))
  }
}

const NONE: readonly Hold[] = []
const nothing = () => undefined

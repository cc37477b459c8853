import type { Uuid } from '@parley/protocol'
import type { Session } from '../model/state.ts'
import type { NodeMessage } from './messages.ts'
import { Recent } from './recent.ts'

/** An end is said this long after it happened, again and again: a bus that loses a third of all messages loses no end. */
const SAID_AFTER_MS = [0, 150, 400, 800]
const MAX_REMEMBERED = 50_000
/** Ends waiting to be said again; the store tells of them as well. */
const MAX_WAITING = 10_000

export type SessionMessage = Extract<
  NodeMessage,
  { readonly type: 'session-ended' | 'session-renewed' | 'sessions-ended' }
>

interface Waiting {
  readonly message: SessionMessage
  readonly sinceMs: number
  said: number
}

/**
 * Ends of sessions on their way to other nodes and from them. The store knows first and is looked at as well; the bus
 * makes it quick. What is said may be repeated, and is taken to heart once. Pure; times are those of a clock that does
 * not jump.
 */
export class Revocations {
  readonly #heard = new Recent<string, true>(MAX_REMEMBERED)
  /** App and user id → when all their sessions ended. */
  readonly #allEnded = new Recent<string, number>(MAX_REMEMBERED)
  #waiting: Waiting[] = []

  /** A session ended, was renewed, or all of somebody's ended, at this node; {@link due} says it to the others. */
  happened(message: SessionMessage, now: number): void {
    this.#remember(message)
    this.#waiting.push({ message, sinceMs: now, said: 0 })
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()
  }

  /** What is to be said now. */
  due(now: number): SessionMessage[] {
    const messages: SessionMessage[] = []
    for (const waiting of this.#waiting) {
      if (waiting.sinceMs + SAID_AFTER_MS[waiting.said]! > now) continue
      // Late, it is said once for all the times that were missed.
      while (waiting.said < SAID_AFTER_MS.length && waiting.sinceMs + SAID_AFTER_MS[waiting.said]! <= now)
        waiting.said += 1
      messages.push(waiting.message)
    }
    if (messages.length > 0) this.#waiting = this.#waiting.filter(({ said }) => said < SAID_AFTER_MS.length)
    return messages
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Another node says so. Answers whether it is news. */
  hear(message: SessionMessage): boolean {
    const isNews = this.#heard.get(nameOf(message)) === undefined
    this.#remember(message)
    return isNews
  }

  /** Whether a session is known to have ended: a look into the store that was under way must not bring it back. */
  isEnded(session: Pick<Session, 'id' | 'app' | 'userId' | 'createdAt'>): boolean {
    const allEndedAt = this.#allEnded.get(`${session.app} ${session.userId}`) ?? Number.NEGATIVE_INFINITY
    return this.#heard.get(endName(session.id)) !== undefined || session.createdAt <= allEndedAt
  }

  #remember(message: SessionMessage): void {
    this.#heard.put(nameOf(message), true)
    if (message.type !== 'sessions-ended') return
    const name = `${message.app} ${message.userId}`
    this.#allEnded.put(name, Math.max(message.at, this.#allEnded.get(name) ?? 0))
  }
}

const endName = (session: Uuid) => `end ${session}`

function nameOf(message: SessionMessage): string {
  switch (message.type) {
    case 'session-ended':
      return endName(message.session)
    case 'session-renewed':
      return `renewed ${message.session} ${message.expiresAt}`
    case 'sessions-ended':
      return `all ${message.app} ${message.at} ${message.userId}`
  }
}

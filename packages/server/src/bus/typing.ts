import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'
import type { TypingSignal } from './messages.ts'
import { Recent } from './recent.ts'

/** Somebody who said nothing more for this long is not typing any more, whatever became of their last word. */
export const TYPING_EXPIRY_MS = 30_000
/** People typing at a time; beyond it the longest silent are forgotten, and expire at the receiver. */
const MAX_TYPING = 20_000

interface Typing {
  readonly signal: TypingSignal
  readonly node: string
  readonly number: number
  readonly untilMs: number
}

/**
 * Who is typing at other nodes. Signals go by the bus alone, so each has an end of its own: it expires, or its node dies.
 * Pure; times are those of a clock that does not jump.
 */
export class TypingElsewhere {
  readonly #typing = new Recent<string, Typing>(MAX_TYPING)

  /** A signal came. Answers whether it is to be told: one that was overtaken by a later one is not. */
  hear(node: string, number: number, signal: TypingSignal, now: number): boolean {
    const name = nameOf(signal.app, signal.conversation, signal.sender)
    const before = this.#typing.get(name)
    if (before && before.node === node && before.number > number) return false
    // Kept also when it is finished, so that what it overtook does not begin it again.
    this.#typing.put(name, { signal, node, number, untilMs: now + TYPING_EXPIRY_MS })
    return signal.action !== 'finished' || before?.signal.action !== 'finished'
  }

  /** Signals to tell for whoever said nothing more. */
  expire(now: number): TypingSignal[] {
    return this.#end(({ untilMs }) => untilMs <= now)
  }

  /** Signals to tell for whoever was typing at a node that is gone. */
  nodeGone(node: string): TypingSignal[] {
    return this.#end((typing) => typing.node === node)
  }

  #end(isOver: (typing: Typing) => boolean): TypingSignal[] {
    const over = [...this.#typing].filter(([, typing]) => isOver(typing))
    for (const [name] of over) this.#typing.delete(name)
    return over.flatMap(([, { signal }]) =>
      signal.action === 'finished' ? [] : [{ ...signal, action: 'finished' as const }],
    )
  }
}

const nameOf = (app: AppKey, conversation: Uuid, sender: UserId) => `${app} ${conversation} ${sender}`

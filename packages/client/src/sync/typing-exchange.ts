/**
 * Typing, said and heard. It owns what this device has said, whom it has heard of, and two timers; the rules are in
 * `typing.ts`.
 */
import type { BasicIdentity, ConversationId, IdentityId, TypingNoticeFrame } from '@parley/protocol'
import type { Clock } from '../environment.ts'
import {
  dueAt,
  elapse,
  forgetSilent,
  hearTyping,
  notTyping,
  type OwnTyping,
  pressKey,
  type Saying,
  stopTyping,
  TYPING_FORGET_MS,
  type TypingStep,
  type Typists,
} from './typing.ts'

export interface TypingPorts {
  readonly clock: Clock
  readonly say: (saying: Saying) => void
  readonly onTyping: (
    conversation: ConversationId,
    typing: readonly BasicIdentity[],
    paused: readonly BasicIdentity[],
  ) => void
}

export class TypingExchange {
  readonly #ports: TypingPorts
  #own: OwnTyping = notTyping
  #cancelOwn: (() => void) | undefined
  readonly #heard = new Map<ConversationId, Typists>()
  #cancelHeard: (() => void) | undefined

  constructor(ports: TypingPorts) {
    this.#ports = ports
  }

  /** A key was pressed; call it as often as you like. */
  press(conversation: ConversationId): void {
    this.#take(pressKey(this.#own, conversation, this.#ports.clock.now()))
  }

  stop(conversation?: ConversationId): void {
    this.#take(stopTyping(this.#own, conversation))
  }

  #take({ next, say }: TypingStep): void {
    const { clock } = this.#ports
    const at = dueAt(next)
    this.#own = next
    this.#cancelOwn?.()
    this.#cancelOwn =
      at === undefined
        ? undefined
        : clock.after(Math.max(0, at - clock.now()), () => this.#take(elapse(this.#own, clock.now())))
    for (const saying of say) this.#ports.say(saying)
  }

  hear({ conversation, sender, action }: TypingNoticeFrame): void {
    const before = this.#heard.get(conversation) ?? new Map()
    this.#update(conversation, hearTyping(before, sender, action, this.#ports.clock.now()))
    this.#watch()
  }

  ended(conversation: ConversationId, sender: IdentityId): void {
    const typists = this.#heard.get(conversation)
    if (!typists?.has(sender)) return
    this.#update(conversation, new Map([...typists].filter(([id]) => id !== sender)))
  }

  /** Nothing is heard any more, so nobody is known to type. */
  lost(): void {
    for (const conversation of [...this.#heard.keys()]) this.#update(conversation, new Map())
  }

  close(): void {
    this.#cancelOwn?.()
    this.#cancelHeard?.()
    this.#heard.clear()
  }

  #update(conversation: ConversationId, typists: Typists): void {
    if (typists.size === 0) this.#heard.delete(conversation)
    else this.#heard.set(conversation, typists)
    const by = (action: 'started' | 'paused') =>
      [...typists.values()].filter((typist) => typist.action === action).map((typist) => typist.identity)
    this.#ports.onTyping(conversation, by('started'), by('paused'))
  }

  #watch(): void {
    const { clock } = this.#ports
    this.#cancelHeard?.()
    const heardAt = [...this.#heard.values()].flatMap((typists) => [...typists.values()].map((each) => each.heardAt))
    if (heardAt.length === 0) return
    const next = Math.min(...heardAt) + TYPING_FORGET_MS
    this.#cancelHeard = clock.after(Math.max(0, next - clock.now()), () => {
      for (const [conversation, typists] of [...this.#heard]) {
        const left = forgetSilent(typists, clock.now())
        if (left !== typists) this.#update(conversation, left)
      }
      this.#watch()
    })
  }
}

/**
 * Typing, both ways. Pure: time is an argument, and what to say is an answer.
 *
 *     idle ── key ──► started ── 2.5 s of silence ──► paused ── 2.5 s more ──► idle (finished)
 *                       ▲                               │
 *                       └──────────── key ──────────────┘
 */
import type { BasicIdentity, ConversationId, IdentityId, TypingAction } from '@parley/protocol'

/** TYPE-4 */
export const TYPING_REPEAT_MS = 2_500
export const TYPING_PAUSE_MS = 2_500
/** TYPE-5 */
export const TYPING_FORGET_MS = 6_000

/** What this device has said, of one conversation at a time: nobody types in two. */
export type OwnTyping =
  | { readonly state: 'idle' }
  | {
      readonly state: 'started' | 'paused'
      readonly conversation: ConversationId
      readonly lastKeyAt: number
      readonly lastSaidAt: number
    }

export interface Saying {
  readonly conversation: ConversationId
  readonly action: TypingAction
}

export interface TypingStep {
  readonly next: OwnTyping
  readonly say: readonly Saying[]
}

export const notTyping: OwnTyping = { state: 'idle' }

/** A key was pressed. A change is said at once, a repetition now and then; another conversation ends the first. */
export function pressKey(typing: OwnTyping, conversation: ConversationId, now: number): TypingStep {
  const isElsewhere = typing.state !== 'idle' && typing.conversation !== conversation
  const farewell: Saying[] = isElsewhere ? [{ conversation: typing.conversation, action: 'finished' }] : []
  const isRepeat = typing.state === 'started' && !isElsewhere && now - typing.lastSaidAt < TYPING_REPEAT_MS
  const lastSaidAt = isRepeat ? typing.lastSaidAt : now
  return {
    next: { state: 'started', conversation, lastKeyAt: now, lastSaidAt },
    say: isRepeat ? farewell : [...farewell, { conversation, action: 'started' }],
  }
}

/** When time will have passed for {@link elapse}. */
export function dueAt(typing: OwnTyping): number | undefined {
  if (typing.state === 'idle') return undefined
  return typing.lastKeyAt + (typing.state === 'started' ? 1 : 2) * TYPING_PAUSE_MS
}

/** Time has passed. */
export function elapse(typing: OwnTyping, now: number): TypingStep {
  if (typing.state === 'idle' || now < dueAt(typing)!) return { next: typing, say: [] }
  const { conversation, lastKeyAt } = typing
  if (now - lastKeyAt >= 2 * TYPING_PAUSE_MS) return stopTyping(typing)
  return { next: { ...typing, state: 'paused', lastSaidAt: now }, say: [{ conversation, action: 'paused' }] }
}

/** The message was sent, or the composer emptied (TYPE-7). With a conversation: only if it is that one. */
export function stopTyping(typing: OwnTyping, conversation?: ConversationId): TypingStep {
  if (typing.state === 'idle' || (conversation ?? typing.conversation) !== typing.conversation) {
    return { next: typing, say: [] }
  }
  return { next: notTyping, say: [{ conversation: typing.conversation, action: 'finished' }] }
}

/** Who types in one conversation, as far as heard. */
export type Typists = ReadonlyMap<IdentityId, Typist>

export interface Typist {
  readonly identity: BasicIdentity
  readonly action: 'started' | 'paused'
  readonly heardAt: number
}

export function hearTyping(typists: Typists, identity: BasicIdentity, action: TypingAction, now: number): Typists {
  const next = new Map(typists)
  if (action === 'finished') next.delete(identity.id)
  else next.set(identity.id, { identity, action, heardAt: now })
  return next
}

/** Forgets whoever was not heard of for a while: their farewell may have been lost. */
export function forgetSilent(typists: Typists, now: number): Typists {
  const next = new Map([...typists].filter(([, typist]) => now - typist.heardAt < TYPING_FORGET_MS))
  return next.size === typists.size ? typists : next
}

/**
 * What tabs say to each other. Each file of `tabs/` that hears a message trusts its shape: only this code, in this
 * version, speaks on this channel.
 */
import type { BasicIdentity, ConversationId, IdentityId } from '@parley/protocol'
import type { AuthenticationState } from '../authentication/authentication-state.ts'
import type { DeauthenticateOptions } from '../authentication/departure.ts'
import type { ClientEvents } from '../client-types.ts'
import { ParleyError, type ParleyErrorCode, type ParleyErrorDetails, storageError } from '../errors.ts'
import type { Draft } from '../outbox/drafting.ts'
import type { Placed } from '../outbox/outbox.ts'
import type { OutboxEntry, Write } from '../replica/replica.ts'
import type { ConnectionState } from '../sync/connection-state.ts'
import type { HistoryProgress } from '../sync/history.ts'

/** Rises with whatever an older version of this code would misunderstand. */
export const TABS_VERSION = 1

/** What can be asked of the owner, and its answer. Each may be asked twice: see `isRepeat`. */
export interface Verbs {
  add(draft: Draft): Promise<Placed>
  create(draft: Draft<'create-conversation'>, people: ReadonlySet<IdentityId>): Promise<Placed>
  retry(operationId: string): Promise<void>
  discard(operationId: string): Promise<readonly OutboxEntry[]>
  authenticate(userId: string | undefined): Promise<BasicIdentity>
  deauthenticate(options: Omit<DeauthenticateOptions, 'signal'>): Promise<void>
  connect(): void
  disconnect(): void
  look(): void
  typing(conversation: ConversationId): void
  stopTyping(conversation: ConversationId): void
}

export type Verb = keyof Verbs

export interface Call<V extends Verb = Verb> {
  /** Counts the calls of a tab. */
  readonly number: number
  readonly verb: V
  readonly args: Parameters<Verbs[V]>
  /** Whose operation it is; somebody else's session never takes it. */
  readonly identity: IdentityId | undefined
  /** An earlier owner was asked already and may have done it; `placed`: is known to have put it into the outbox. */
  readonly isRepeat?: 'perhaps' | 'placed'
}

/** Whether it places something in the outbox, which is answered twice. */
export const isOperation = ({ verb }: Call): boolean => verb === 'add' || verb === 'create'

/** `value` or `error` first; operations are acknowledged, or not, later. */
export type Answer =
  | { readonly value: unknown }
  | { readonly error: unknown }
  | { readonly acknowledged: unknown }
  | { readonly failed: unknown }

/** What every tab shows of the owner. */
export interface Snapshot {
  readonly state: AuthenticationState
  readonly connection: ConnectionState
  readonly history: HistoryProgress
  /** Whose data there is to see. */
  readonly shown: BasicIdentity | undefined
  /** Conversations that go by another id now. */
  readonly aliases: ReadonlyMap<ConversationId, ConversationId>
  readonly wantsConnection: boolean
}

/** What tabs say. The owner's words count in its term only. */
type FollowerMessage =
  /** Somebody new, or just awake: who is the owner? */
  | { readonly type: 'hello' }
  /** Is the owner alive? */
  | { readonly type: 'ping' }
  /** For the owner of this term. */
  | { readonly type: 'call'; readonly call: Call }
  /** Whoever called does not want it any more. */
  | { readonly type: 'cancel'; readonly number: number }
  /** What the app's handler gave in the tab that was asked. */
  | {
      readonly type: 'token'
      readonly number: number
      readonly token?: string | null | undefined
      readonly error?: PlainError
    }

type OwnerMessage =
  /** There is a new owner, or it answers a hello. */
  | { readonly type: 'owner'; readonly to?: string | undefined; readonly snapshot: Snapshot }
  | { readonly type: 'pong' }
  /** It goes, and nobody has the lock. */
  | { readonly type: 'farewell' }
  | { readonly type: 'answer'; readonly to: string; readonly number: number; readonly answer: Answer }
  /** The server wants to know who this is: asks for a token in the tab whose call this is. */
  | { readonly type: 'ask'; readonly to: string; readonly number: number; readonly nonce: string }
  | { readonly type: 'told'; readonly name: keyof ClientEvents; readonly event: object }
  | ({ readonly type: 'basis' } & Pick<Snapshot, 'shown' | 'wantsConnection'>)
  | { readonly type: 'touched'; readonly writes: readonly Write[] | 'everything' }

export type Message = FollowerMessage | OwnerMessage
interface Addressed {
  readonly version: number
  readonly from: string
  /** The latest the sender knows of; the owner's own. */
  readonly term: number
  readonly to?: string | undefined
}
export type Envelope = Message & Addressed
export type OwnerEnvelope = OwnerMessage & Addressed

/** An error as it can be copied: code and details of our own, of any other its sentence. */
interface PlainError {
  readonly code: ParleyErrorCode | undefined
  readonly message: string
  readonly details: ParleyErrorDetails
}

export function copyError(thrown: unknown): PlainError {
  // Over there nobody could tell it for what it is.
  const error = (thrown as { readonly name?: unknown }).name === 'ReplicaError' ? storageError(thrown) : thrown
  const { code, message, refusal, entries, cause } = error as Partial<ParleyError>
  return {
    code: error instanceof ParleyError ? code : undefined,
    message: message ?? String(error),
    details: { refusal, entries, ...(cause !== undefined && { cause: String(cause) }) } as ParleyErrorDetails,
  }
}

export function errorFrom({ code, message, details }: PlainError, cause: unknown = details.cause): Error {
  return code ? new ParleyError(code, message, { ...details, cause }) : new Error(message, { cause })
}

export function copyAnswer(answer: Answer): Answer {
  if ('error' in answer) return { error: copyError(answer.error) }
  return 'failed' in answer ? { failed: copyError(answer.failed) } : answer
}

/** @param cause what this tab's own part in it threw */
export function answerFrom(answer: Answer, cause: unknown): Answer {
  if ('error' in answer) return { error: errorFrom(answer.error as PlainError, cause) }
  return 'failed' in answer ? { failed: errorFrom(answer.failed as PlainError) } : answer
}

/** Some events tell of an error. */
export function copyEvent(event: object): object {
  return 'error' in event && event.error ? { ...event, error: copyError(event.error) } : event
}

export function eventFrom(event: object): object {
  return 'error' in event && event.error ? { ...event, error: errorFrom(event.error as PlainError) } : event
}

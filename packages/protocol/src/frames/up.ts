/** What a client may say. */
import * as v from 'valibot'
import type { ConversationId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { OperationInputs, OperationName } from '../operations/index.ts'
import * as s from '../operations/schemas.ts'
import type { StreamId } from '../rows.ts'

/**
 * Before `hello`, for a device that has no session: asks for a nonce of this app, for which the app's own service makes an
 * identity token. Answered by `nonce`, once on a socket.
 */
export interface NonceFrame {
  readonly type: 'nonce'
  readonly app_id: string
}

/**
 * First on every socket, but for `nonce`. The token travels here and never in an address: either that of a session, or an
 * identity token, for which a session is opened.
 */
export type HelloFrame = (
  | { readonly session_token: string }
  | { readonly identity_token: string; readonly app_id: string }
) & {
  readonly type: 'hello'
  /** Up to where this device has heard of changes; null for a fresh device. */
  readonly cursor: string | null
  /** The log that cursor belongs to; null for a fresh device. */
  readonly epoch: string | null
}

/** Asks for an operation. Answered by one `acknowledgement`. */
export interface OperationFrame<Name extends OperationName = OperationName> {
  readonly type: 'operation'
  /** Names this request for its acknowledgement and any retry, on any connection. */
  readonly id: string
  readonly name: Name
  readonly input: OperationInputs[Name]
  /**
   * The operation before this one that is still unacknowledged and must not be overtaken: if that one is refused for
   * the moment, so is this.
   */
  readonly after?: string
}

/** Asks for what changed in streams after a sequence. Answered by `rows` frames, the last of them with `last`. */
export interface PullFrame {
  readonly type: 'pull'
  readonly id: number
  readonly streams: readonly { readonly stream: StreamId; readonly after: number }[]
}

/**
 * Asks for a conversation and its newest messages, or for older messages before a position. Answered by one `rows`
 * frame.
 */
export interface PageFrame {
  readonly type: 'page'
  readonly id: number
  readonly conversation: ConversationId
  /** Only messages below this position; null for the conversation, its participants and the newest messages. */
  readonly before: number | null
  readonly limit: number
}

/** Says that the user is typing. Not answered, not stored. */
export interface TypingFrame {
  readonly type: 'typing'
  readonly conversation: ConversationId
  readonly action: TypingAction
}
export type TypingAction = 'started' | 'paused' | 'finished'

/** Answers a `challenge` with a new identity token: the session goes on, on this same connection. */
export interface RenewFrame {
  readonly type: 'renew'
  readonly identity_token: string
}

/** Asks for a fresh nonce on this connection; answered by `challenge`. For a device that wants to renew early. */
export interface ChallengeMeFrame {
  readonly type: 'challenge-me'
}

export interface PingFrame {
  readonly type: 'ping'
}

export type UpFrame =
  | NonceFrame
  | HelloFrame
  | OperationFrame
  | PullFrame
  | PageFrame
  | TypingFrame
  | RenewFrame
  | ChallengeMeFrame
  | PingFrame

const requestNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const text = (max: number) => v.pipe(s.text, v.maxLength(max))
const stream = v.union([v.literal('inbox'), s.conversation])

/** Looked at by whoever opens sessions, as over HTTP: what is wrong with one is told in the same words. */
const unread = v.string()
const hello = { type: v.literal('hello'), cursor: v.nullable(text(64)), epoch: v.nullable(text(64)) }

/** What the server checks a frame against before anything else looks at it. */
export const upFrame = v.variant('type', [
  v.object({ type: v.literal('nonce'), app_id: unread }),
  v.object({ ...hello, session_token: text(128), identity_token: v.optional(v.never()) }),
  v.object({ ...hello, identity_token: unread, app_id: unread, session_token: v.optional(v.never()) }),
  v.object({
    type: v.literal('operation'),
    id: s.uuid,
    name: text(64),
    input: v.unknown(),
    after: v.optional(s.uuid),
  }),
  v.object({
    type: v.literal('pull'),
    id: requestNumber,
    streams: s.list(v.object({ stream, after: requestNumber }), limits.maxPullStreams, 1),
  }),
  v.object({
    type: v.literal('page'),
    id: requestNumber,
    conversation: s.conversation,
    before: v.nullable(s.position),
    limit: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(limits.maxRowsPerFrame)),
  }),
  v.object({
    type: v.literal('typing'),
    conversation: s.conversation,
    action: v.picklist(['started', 'paused', 'finished']),
  }),
  v.object({ type: v.literal('renew'), identity_token: text(limits.maxIdentityTokenLength) }),
  v.object({ type: v.literal('challenge-me') }),
  v.object({ type: v.literal('ping') }),
])

/** An up frame after parsing: ids are bare, texts are checked, an operation's input is still raw. */
export type ParsedUpFrame = v.InferOutput<typeof upFrame>

/** What the server may say to one of our clients. */
import type { WireError } from '../errors.ts'
import type { ConversationId } from '../ids.ts'
import type { BasicIdentity, ConversationStreamRow, InboxRow, Row, StreamId } from '../rows.ts'
import type { TypingAction } from './up.ts'

/** Answers `nonce`: good for ten minutes, for one identity token, and on any socket. */
export interface NonceGivenFrame {
  readonly type: 'nonce'
  readonly nonce: string
}

/** Answers `hello`. After it come `heads`, then live changes. */
export interface WelcomeFrame {
  readonly type: 'welcome'
  readonly identity: BasicIdentity
  /** With its token if it was opened by this hello, and never again. */
  readonly session: SessionInfo & { readonly token?: string }
  /** Names this log. A client that knows another epoch must compare every stream. */
  readonly epoch: string
  readonly server_time: string
}

export interface SessionInfo {
  readonly id: string
  readonly expires_at: string
}

/**
 * The streams that moved since the hello's cursor, and the sequence each has reached. Several frames if many; the last
 * one carries the cursor to remember.
 */
export interface HeadsFrame {
  readonly type: 'heads'
  readonly streams: readonly { readonly stream: StreamId; readonly sequence: number }[]
  readonly cursor: string | null
}

/** Something was committed to a stream. */
export interface ChangeFrame {
  readonly type: 'change'
  readonly stream: StreamId
  /** The sequence the stream had before; a receiver that is not there yet has a gap and pulls. */
  readonly after: number
  readonly sequence: number
  /** Everything up to this cursor was sent before this frame. */
  readonly cursor: string
  readonly rows: readonly Row[]
}

/** Answers `pull` and `page`. */
export interface RowsFrame {
  readonly type: 'rows'
  readonly id: number
  readonly stream: StreamId
  readonly rows: readonly (ConversationStreamRow | InboxRow)[]
  /**
   * For a pull: where the reader was before this frame; a reader that is not there has missed one. For a page: 0.
   */
  readonly after: number
  /**
   * For a pull: the reader has now everything up to here. For a page: the stream's sequence when the page was read.
   */
  readonly sequence: number
  /** For a pull: more of this stream follows. For a page: there are older messages. */
  readonly more: boolean
  /** The request is answered completely. */
  readonly last: boolean
}

/** Answers an operation, after it is durable. */
export type AcknowledgementFrame =
  | {
      readonly type: 'acknowledgement'
      readonly id: string
      readonly result: Readonly<Record<string, unknown>>
      /** Where its effect lies: the device is up to date with it once this stream has reached this sequence. */
      readonly stream: StreamId
      readonly sequence: number
    }
  | {
      readonly type: 'acknowledgement'
      readonly id: string
      readonly refusal: WireError
      readonly retry_after_ms?: number
    }

/** A request other than an operation was refused. */
export interface RefusalFrame {
  readonly type: 'refusal'
  /** The `pull` or `page`, where there was one to name. */
  readonly id?: number
  readonly error: WireError
}

export interface TypingNoticeFrame {
  readonly type: 'typing'
  readonly conversation: ConversationId
  readonly sender: BasicIdentity
  readonly action: TypingAction
}

/** The session ends soon; a new identity token for this nonce prolongs it in place. */
export interface ChallengeFrame {
  readonly type: 'challenge'
  readonly nonce: string
  readonly expires_at: string
}

export interface RenewedFrame {
  readonly type: 'renewed'
  readonly session: SessionInfo
}

/**
 * The server is going away and others serve on: the client is to connect again once this time is over, which is another
 * one for everybody. Until then all goes on as before.
 */
export interface MoveFrame {
  readonly type: 'move'
  readonly after_ms: number
}

/** `refused`: there is no nonce, or no session, for what was asked; `error` says why. */
export type GoodbyeReason =
  | 'session_ended'
  | 'authentication_required'
  | 'refused'
  | 'going_away'
  | 'too_slow'
  | 'protocol_error'

/** Last words before the server closes. */
export interface GoodbyeFrame {
  readonly type: 'goodbye'
  readonly reason: GoodbyeReason
  readonly error?: WireError
  /** When to come back at the earliest. */
  readonly retry_after_ms?: number
}

export interface PongFrame {
  readonly type: 'pong'
  readonly server_time: string
}

export type DownFrame =
  | NonceGivenFrame
  | WelcomeFrame
  | HeadsFrame
  | ChangeFrame
  | RowsFrame
  | AcknowledgementFrame
  | RefusalFrame
  | TypingNoticeFrame
  | ChallengeFrame
  | RenewedFrame
  | MoveFrame
  | GoodbyeFrame
  | PongFrame

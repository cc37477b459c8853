/** How to say and hear the same things to each of the servers. */
import type { ServerReady } from '../servers/start-server.ts'
import { parleyDialect } from './dialects/parley.ts'
import { referenceDialect } from './dialects/reference.ts'
import type { LoadSocket } from './socket.ts'

export type ServerKind = 'reference' | 'parley'

export interface Dialect {
  /** The WebSocket subprotocol; none if empty. */
  readonly protocol: string
  /** Signs somebody in as far as that happens before the socket, and says what to say first on it. */
  hello(user: string, http?: SignInLine): Promise<string>
  /** For those who sign in on the socket itself, where the server knows how. */
  readonly onSocket?: {
    /** What to say first, to be given what a token is made for. */
    readonly asks: string
    /** What to say then, with a token for what a frame gave; undefined if it is another frame. */
    hello(user: string, data: Buffer, start: number, end: number): string | undefined
  }
  isWelcome(data: Buffer, start: number, end: number): boolean
  /** Frames that make a conversation of these people, each to be acknowledged before the next; the first one says them. */
  room(members: readonly string[]): { readonly room: string; readonly frames: readonly string[] }
  /** @param id a UUID, new for each message */
  message(room: string, id: string, body: string): string
  /** Where the id lies that is acknowledged; a refusal is a failure of the benchmark, unless it was looked for before. */
  acknowledged(data: Buffer, start: number, end: number): number | undefined
  /** What was refused, and when to ask again. */
  refused?(data: Buffer, start: number, end: number): Refused | undefined
  /** Where the id of each message lies that a frame brings: of one, or of several at once. Whether it is such a frame. */
  delivered(data: Buffer, start: number, end: number, arrived: (at: number) => void): boolean
  /** Reads everything a device has missed, on a socket that is open and has not said hello yet. */
  catchUp(options: CatchUp): CatchUpReader
}

export interface Refused {
  readonly id: string
  readonly code: string
  readonly retryAfterMs: number | undefined
}

export interface CatchUp {
  readonly socket: LoadSocket
  readonly hello: string
  /** Everything is there: the ids of all messages. */
  done(messageIds: ReadonlySet<string>): void
}

export interface CatchUpReader {
  start(): void
  hear(text: string): void
}

/** An HTTP connection for signing in. */
export interface SignInLine {
  post(path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Record<string, string> }>
}

export function dialectOf(ready: ServerReady): Dialect {
  return ready.kind === 'parley' ? parleyDialect(ready) : referenceDialect()
}

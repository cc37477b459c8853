import type { Refusal } from '@parley/protocol'
import type { Session } from '../../../model/state.ts'
import type { LayerDesk } from '../desk.ts'
import type { Packet } from '../packets.ts'

/** A request that came up a socket, its envelope taken off. */
export interface Request {
  readonly desk: LayerDesk
  readonly session: Session
  readonly connection: RequestConnection
  readonly objectId: unknown
  readonly data: unknown
}

/** What a request may do with the socket it came by. */
export interface RequestConnection {
  /** Counter of the newest packet sent. */
  readonly lastCounter: number
  /** From now on this socket hears of the presence of others. */
  subscribeToPresence(): void
}

export type Answer = { readonly data: object } | { readonly refusal: Refusal }

export interface PacketStream {
  readonly packets: AsyncIterable<Packet>
  /** The timestamp they bear. */
  readonly at: number
}

export type RequestHandler =
  /** Begins at once, in the order requests come, and is answered in its turn. */
  | { readonly begin: (request: Request) => Promise<Answer> }
  /** Knows its answer when it is its turn. */
  | { readonly answer: (request: Request) => Answer }
  /** Sends packets before its answer. */
  | { readonly stream: (request: Request) => { readonly refusal: Refusal } | PacketStream }

import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { Edge } from '../edge.ts'
import type { FairTurns, Speaker } from './fair-turns.ts'
import type { Flushing } from './flushing.ts'
import { type Socket, WrittenSocket } from './socket.ts'
import type { Peer } from './socket-writer.ts'

/** A connection of either dialect. */
export interface Connection {
  receive(text: string): void
  /** A dialect that has no word for it hears an empty text, which is malformed. */
  receiveBinary?(): void
  gone(): void
  tooSlow(): void
  /** Others serve on: go there after so long. A dialect that has no word for it is told nothing yet. */
  move?(afterMs: number): void
  /** Takes nothing more on, answers what it has, and closes. */
  drain(retryAfterMs: number): void
}

export interface Connect {
  readonly dialect: 'native' | 'layer'
  connect(socket: Socket): Connection
}

/**
 * Whoever came in: a socket and the connection that speaks over it. There are tens of thousands of them, so it is one object
 * with methods; the functions that hear its socket are everybody's.
 */
export class Guest implements Peer, Speaker {
  readonly connection: Connection
  /** Whether anything was heard since the last look. */
  isAlive = true
  readonly socket: Socket
  turn = 0
  frames = 0
  readonly #edge: Edge
  readonly #turns: FairTurns
  readonly #dialect: Connect['dialect']

  constructor(
    webSocket: WebSocket,
    raw: Duplex,
    { dialect, connect }: Connect,
    { edge, turns, flushing }: { readonly edge: Edge; readonly turns: FairTurns; readonly flushing: Flushing },
  ) {
    this.#edge = edge
    this.#turns = turns
    this.#dialect = dialect
    this.socket = new WrittenSocket(webSocket, raw, this, flushing)
    this.connection = connect(this.socket)
    const counts = edge.tally.connections[dialect]
    counts.opened++
    counts.open++
  }

  hear(data: RawData, isBinary: boolean): void {
    this.isAlive = true
    this.#turns.heard(this)
    if (isBinary && this.connection.receiveBinary) this.connection.receiveBinary()
    else this.connection.receive(isBinary ? '' : (data as Buffer).toString('utf8'))
  }

  gone(): void {
    this.#edge.tally.connections[this.#dialect].open--
    this.connection.gone()
  }

  tooSlow(): void {
    this.#edge.tally.slowSockets++
    this.connection.tooSlow()
  }

  notWritable(error: unknown): void {
    this.#edge.log('a frame could not be written', { error: error instanceof Error ? error.stack : String(error) })
    this.connection.tooSlow()
  }
}

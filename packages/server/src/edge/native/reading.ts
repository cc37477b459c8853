import { type DownFrame, toWireError } from '@parley/protocol'
import type { Session } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import type { Socket } from '../sockets/socket.ts'
import type { ListText } from '../sockets/text-frame.ts'
import type { Frame } from './frames.ts'
import { answerPage, answerPull } from './pulls.ts'

/** Pulls and pages waiting for their answer. */
const MAX_READS = 16
/** Bytes a peer may have unsent before the next page of a pull is read for it. */
export const PULL_AHEAD_BYTES = 262_144

/** The pulls and pages of one connection, answered one after the other, at the pace the peer takes them. */
export class Reading {
  readonly #edge: Edge
  readonly #socket: Socket
  /** Sends a text while the connection is open; answers whether it is. */
  readonly #sendWritten: (text: string | ListText) => boolean
  #last: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(edge: Edge, socket: Socket, sendWritten: (text: string | ListText) => boolean) {
    this.#edge = edge
    this.#socket = socket
    this.#sendWritten = sendWritten
  }

  read(frame: Frame<'pull'> | Frame<'page'>, session: Session): void {
    const { tally } = this.#edge
    if (this.#waiting >= MAX_READS) {
      tally.rateLimited.add('read')
      this.#send({ type: 'refusal', id: frame.id, error: toWireError({ id: 'rate_limit_exceeded' }) })
      return
    }
    tally.reads.add(frame.type)
    this.#waiting++
    this.#last = this.#last.then(async () => {
      try {
        await this.#answer(frame, session)
      } catch (error) {
        this.#edge.log('a read could not be answered', { error: String(error) })
        this.#send({ type: 'refusal', id: frame.id, error: toWireError({ id: 'service_unavailable' }) })
      } finally {
        this.#waiting--
      }
    })
  }

  async #answer(frame: Frame<'pull'> | Frame<'page'>, session: Session): Promise<void> {
    const { streams } = this.#edge.store
    if (frame.type === 'page') {
      this.#send(await answerPage(streams, session, frame))
      return
    }
    for await (const rows of answerPull(streams, session, frame)) {
      if (!this.#sendWritten(rows)) return
      await this.#socket.drained(PULL_AHEAD_BYTES)
    }
  }

  #send(frame: DownFrame): void {
    this.#sendWritten(JSON.stringify(frame))
  }
}

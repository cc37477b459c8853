import { JoinedFrames } from './joined-frames.ts'
import type { SocketWriter } from './socket-writer.ts'

/** A frame for so many sockets is dear to send: a system call for each. */
export const MANY_SOCKETS = 50
/** How long frames wait for others that are to go the same way. A commit takes less, on a disk that is well. */
export const MAX_HELD_MS = 2

/**
 * Writes what has gathered for all sockets of a server, at the end of the turn of the event loop that brought it. Frames
 * for many sockets wait a moment if another batch is under way: what it brings will mostly be for the same sockets, and
 * then goes out with them in one write for each. What large conversations cost is these writes. Nothing waits twice.
 */
export class Flushing {
  /** What serves one socket after the other. */
  readonly joined = new JoinedFrames()
  readonly #isMoreComing: () => boolean
  #writers: SocketWriter[] = []
  #isDue = false
  #isForMany = false
  #held: NodeJS.Timeout | undefined

  /** @param isMoreComing whether a batch is being committed */
  constructor(isMoreComing: () => boolean) {
    this.#isMoreComing = isMoreComing
  }

  /** A writer has something to write. */
  add(writer: SocketWriter): void {
    this.#writers.push(writer)
  }

  /**
   * Something more is to go out.
   * @param sockets how many are to get it, this one counted
   */
  due(sockets: number): void {
    if (sockets === MANY_SOCKETS) this.#isForMany = true
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#endTurn())
  }

  #endTurn(): void {
    this.#isDue = false
    const mayWait = this.#isForMany && this.#held === undefined && this.#isMoreComing()
    if (mayWait) this.#held = setTimeout(() => this.#flush(), MAX_HELD_MS)
    else this.#flush()
  }

  #flush(): void {
    clearTimeout(this.#held)
    this.#held = undefined
    this.#isForMany = false
    const writers = this.#writers
    this.#writers = []
    for (const writer of writers) writer.flush()
    this.joined.forget()
  }
}

/** Frames of one socket in one turn of the event loop, beyond which the others are looked at first. */
export const FRAMES_PER_TURN = 256

/** A socket whose reading can be held for a moment. */
export interface Readable {
  pause(): void
  resume(): void
}

/**
 * Keeps one who says much from keeping the others waiting: the system would read megabytes of theirs before it looks at
 * anybody else. After so many frames a socket is not read until the next turn.
 */
export class FairTurns {
  readonly #counts = new Map<Readable, number>()

  /** A frame of this socket was heard. */
  heard(socket: Readable): void {
    if (this.#counts.size === 0) setImmediate(() => this.#end())
    const count = (this.#counts.get(socket) ?? 0) + 1
    this.#counts.set(socket, count)
    if (count === FRAMES_PER_TURN) socket.pause()
  }

  #end(): void {
    for (const [socket, count] of this.#counts) if (count >= FRAMES_PER_TURN) socket.resume()
    this.#counts.clear()
  }
}

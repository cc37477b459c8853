/** Frames of one socket in one turn of the event loop, beyond which the others are looked at first. */
export const FRAMES_PER_TURN = 256

/** A socket whose reading can be held for a moment. */
export interface Readable {
  pause(): void
  resume(): void
}

/** A socket, and how much it said. Both numbers are the turns' to change; they begin with 0. */
export interface Speaker {
  readonly socket: Readable
  /** When it was last heard. */
  turn: number
  /** How often it was heard then. */
  frames: number
}

/**
 * Keeps one who says much from keeping the others waiting: the system would read megabytes of theirs before it looks at
 * anybody else. After so many frames a socket is not read until the next turn.
 */
export class FairTurns {
  #turn = 1
  #isRunning = false
  #held: Readable[] = []

  /** A frame of this socket was heard. */
  heard(speaker: Speaker): void {
    if (!this.#isRunning) {
      this.#isRunning = true
      setImmediate(() => this.#end())
    }
    speaker.frames = speaker.turn === this.#turn ? speaker.frames + 1 : 1
    speaker.turn = this.#turn
    if (speaker.frames !== FRAMES_PER_TURN) return
    this.#held.push(speaker.socket)
    speaker.socket.pause()
  }

  #end(): void {
    this.#isRunning = false
    this.#turn++
    const held = this.#held
    this.#held = []
    for (const socket of held) socket.resume()
  }
}

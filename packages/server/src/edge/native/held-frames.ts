/** How long a connection goes unread for want of room; what found none by then is told when to come back. */
export const MAX_HELD_MS = 1_000
/**
 * What all connections may hold together, in code units. One holds what a read of its socket brought, 64 KB at most; it
 * takes hundreds to fill this, and then whoever finds no room is turned away at once.
 */
export const MAX_HELD_LENGTH = 32 * 1024 * 1024

/** How much is held, for all connections of a server. */
export class HeldRoom {
  length = 0

  get isFull(): boolean {
    return this.length >= MAX_HELD_LENGTH
  }
}

/**
 * Frames of a connection that has enough under way, in the order they came. As long as there are any its socket is not read,
 * so that whoever sends more than can be done is slowed down by their own line, which costs nothing: to turn away what was
 * sent costs a fifth of doing it. Lives from the first frame that finds no room until all are through.
 */
export class HeldFrames {
  readonly #room: HeldRoom
  readonly #release: () => void
  readonly #texts: string[] = []
  #next = 0
  #isGoingOn = false

  /** @param release called once, when nothing is held any more */
  constructor(room: HeldRoom, release: () => void) {
    this.#room = room
    this.#release = release
  }

  get isEmpty(): boolean {
    return this.#next === this.#texts.length
  }

  add(text: string): void {
    this.#texts.push(text)
    this.#room.length += text.length
  }

  /**
   * Hands on what there is room for.
   * @param take whether it took this one; what it does may call this once more, which then does nothing
   */
  goOn(take: (text: string) => boolean): void {
    if (this.#isGoingOn) return
    this.#isGoingOn = true
    while (!this.isEmpty) {
      const text = this.#texts[this.#next]!
      if (!take(text)) break
      // Unless taking it was the end of everything.
      if (!this.isEmpty) this.#forgetNext()
    }
    this.#isGoingOn = false
  }

  /** Forgets what is left: nobody is there any more, or nothing is left. */
  end(): void {
    while (!this.isEmpty) this.#forgetNext()
    this.#release()
  }

  #forgetNext(): void {
    this.#room.length -= this.#texts[this.#next++]!.length
  }
}

/**
 * Memory that texts are written into one after the other, lent by whoever will read them: new memory for each would be
 * megabytes of a long absence, copied from thread to thread, and the collector looks through everything for their sake.
 */
export class TextRoom {
  readonly #memory: Buffer
  #used = 0

  constructor(memory: Uint8Array = new Uint8Array()) {
    this.#memory = Buffer.from(memory.buffer, memory.byteOffset, memory.length)
  }

  /** The text in UTF-8, in the room if it fits, else in memory of its own. */
  write(text: string): Uint8Array {
    const from = this.#used
    const left = this.#memory.length - from
    // A character takes three bytes at most, and mostly one.
    if (3 * text.length > left && Buffer.byteLength(text) > left) return encoder.encode(text)
    this.#used += this.#memory.write(text, from)
    return this.#memory.subarray(from, this.#used)
  }
}

/** Gives memory that nothing else is in: of a buffer that shares its memory, all of it would go to the other thread. */
const encoder = new TextEncoder()

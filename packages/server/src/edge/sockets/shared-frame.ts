import { maxFrameBytes, textFrame, writeTextFrame } from './text-frame.ts'

/** From this many sockets on, a copy of the frame's bytes is cheaper than writing its text again. */
const COPIES_FROM = 3

/**
 * A message for several sockets: put into words once, when the first of them is written to. By then the next batch is on
 * its way to the disk, and the work goes on beside it.
 */
export class SharedFrame {
  readonly #write: () => string
  #text: string | undefined
  #bytes: Buffer | undefined
  #uses = 0
  /** How many sockets are to get it. */
  sockets = 0

  constructor(write: () => string) {
    this.#write = write
  }

  get text(): string {
    this.#text ??= this.#write()
    return this.#text
  }

  get bytes(): Buffer {
    this.#bytes ??= textFrame(this.text)
    return this.#bytes
  }

  /** @returns where the frame ends in the buffer; undefined if there may be no room for it */
  writeTo(into: Buffer, at: number): number | undefined {
    if (this.#bytes === undefined && ++this.#uses < COPIES_FROM) {
      return at + maxFrameBytes(this.text) <= into.length ? writeTextFrame(into, at, this.text) : undefined
    }
    const { bytes } = this
    if (at + bytes.length > into.length) return undefined
    into.set(bytes, at)
    return at + bytes.length
  }
}

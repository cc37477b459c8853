import { textFrame } from './text-frame.ts'

/**
 * A message for several sockets: put into words and framed once, when the first of them is written to. By then the next
 * batch is on its way to the disk, and the work goes on beside it.
 */
export class SharedFrame {
  readonly #write: () => string
  #bytes: Buffer | undefined

  /** @param write must give the same text whenever it is called */
  constructor(write: () => string) {
    this.#write = write
  }

  get text(): string {
    return this.#write()
  }

  get bytes(): Buffer {
    this.#bytes ??= textFrame(this.#write())
    return this.#bytes
  }
}

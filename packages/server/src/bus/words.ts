/**
 * What is said of something. Most of it is JSON; texts that the node that hears them only passes on, as it does with the
 * parts of messages, need not be read by it, and so lie behind the JSON of the whole batch, as they are.
 */
export interface Words {
  /** JSON, in which `body` says how many characters the body has, if there is one. */
  readonly head: string
  /** In pieces, which are joined once, with those of all others. */
  readonly body: readonly string[]
}

export const inWords = (message: unknown): Words => ({ head: JSON.stringify(message), body: NOTHING })
const NOTHING: readonly string[] = []

/** A text of which one piece after the other is taken. */
export class Body {
  readonly #text: string
  readonly #end: number
  #at: number

  constructor(text: string, from: number, end = text.length) {
    this.#text = text
    this.#at = from
    this.#end = end
  }

  /** @returns undefined if fewer characters are left */
  take(length: number): string | undefined {
    return length <= this.#end - this.#at ? this.#text.slice(this.#at, this.#skip(length)) : undefined
  }

  /** The next so many characters, to be taken in pieces; undefined if fewer are left. */
  takeBody(length: number): Body | undefined {
    return length <= this.#end - this.#at ? new Body(this.#text, this.#at, this.#skip(length)) : undefined
  }

  #skip(length: number): number {
    this.#at += length
    return this.#at
  }
}

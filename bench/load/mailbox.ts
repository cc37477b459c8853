import type { ChildProcess } from 'node:child_process'

/** Messages of a child process in their order, none of them missed; a child that ends early is an error. */
export class Mailbox {
  #messages: unknown[] = []
  #waiting: { resolve(message: unknown): void; reject(error: Error): void } | undefined
  #ended: Error | undefined

  constructor(child: ChildProcess) {
    child.on('message', (message) => {
      const waiting = this.#waiting
      this.#waiting = undefined
      if (waiting) waiting.resolve(message)
      else this.#messages.push(message)
    })
    child.once('exit', (code, signal) => {
      this.#ended = new Error(`A process of the benchmark ended early (${signal ?? code}).`)
      this.#waiting?.reject(this.#ended)
    })
  }

  next(): Promise<unknown> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift())
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }
}

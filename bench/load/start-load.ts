/** Load runs in processes of its own, so that what makes it is not on the server's account, nor on its event loop. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Mailbox } from './mailbox.ts'

/** A process that makes load. What is said both ways is agreed between a load and its scenario. */
export class Load {
  readonly #child: ChildProcess
  readonly #mailbox: Mailbox

  /** @param name a file of this folder, without its ending */
  constructor(name: string, input: object) {
    this.#child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)))
    this.#mailbox = new Mailbox(this.#child)
    this.#child.send(input)
  }

  async next<Message>(): Promise<Message> {
    return (await this.#mailbox.next()) as Message
  }

  say(message: object | string): void {
    this.#child.send(message)
  }

  get pid(): number {
    return this.#child.pid!
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await exited
  }
}

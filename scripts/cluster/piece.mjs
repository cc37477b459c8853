/** A piece that was asked to stop and has not after this is killed: nothing is left behind. */
const PATIENCE_MS = 8_000

/**
 * A program of the cluster. It may die at any time; nobody starts it again but who is watching.
 *
 * @typedef {{ pid: number, isRunning: boolean, exit: Promise<import('@parley/testkit').ProcessExit> }} Running
 * @typedef {{
 *   name: string,
 *   where: string,
 *   whenGone: string,
 *   first: Running,
 *   again: () => Promise<Running>,
 * }} PieceOptions
 */
export class Piece {
  #options
  #running
  #report
  /** Its end is ours to bring about, and no news. */
  #isEndAsked = false

  /** @param {PieceOptions} options @param {(sentence: string) => void} report */
  constructor(options, report) {
    this.#options = options
    this.#running = options.first
    this.#report = report
    this.#watch()
  }

  get name() {
    return this.#options.name
  }

  get where() {
    return this.#options.where
  }

  get pid() {
    return this.#running.pid
  }

  get isRunning() {
    return this.#running.isRunning
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    if (this.isRunning) process.kill(this.pid, signal)
  }

  async start() {
    if (this.isRunning) return this.#report(`${this.name} runs already, as process ${this.pid}.`)
    this.#running = await this.#options.again()
    this.#report(`${this.name} is back at ${this.where}, as process ${this.pid}.`)
    this.#watch()
  }

  /** Whatever ends it from now on was wanted. */
  expectEnd() {
    this.#isEndAsked = true
  }

  /** Asks it to stop; resolves when it has. */
  async stop() {
    this.expectEnd()
    this.signal('SIGCONT')
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.signal('SIGKILL'), PATIENCE_MS)
    await this.#running.exit
    clearTimeout(timer)
  }

  #watch() {
    const { pid, exit } = this.#running
    void exit.then(({ code, signal }) => {
      if (this.#isEndAsked) return
      const how = signal
        ? `killed by ${signal}`
        : code === 0
          ? 'it stopped in good order'
          : `it ended with code ${code}`
      const { name, whenGone } = this.#options
      this.#report(`${name} (process ${pid}) is gone: ${how}. ${whenGone} To have it back: start ${name}`)
    })
  }
}

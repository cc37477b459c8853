import type { Clock } from '../clock.ts'
import type { ClaimStore } from '../store/store.ts'

/** How long a server that fell silent keeps its work from the others. */
export const CLAIM_MS = 30_000
/** How often a claim is renewed, and how often the others ask for it. */
export const RENEW_MS = 10_000

export interface ClaimedWorkOptions {
  /** Undefined where one process alone serves the store. */
  readonly claims: ClaimStore | undefined
  readonly clock: Pick<Clock, 'after'>
  /** This server, as no other one is called. */
  readonly holder: string
  /** Names the work among others. */
  readonly name: string
  readonly everyMs: number
  /** May be done twice, and by two servers at once: a server that stood still does not know that its claim ran out. */
  readonly work: () => Promise<void>
  readonly log: (message: string, details: Record<string, unknown>) => void
}

/**
 * Work that one of all servers does, again and again. Whoever holds the claim does it; it is renewed while that server
 * lives, and runs out by the store's clock if it dies, is frozen or cut off. The next one then does the work at once,
 * since nobody knows when it was done last.
 */
export class ClaimedWork {
  readonly #options: ClaimedWorkOptions
  #isDue = false
  #isWorking = false
  #isOurs = false
  #wasOthers = false
  #isStopped = false
  #cancelTurn = () => {}
  #cancelDue = () => {}

  constructor(options: ClaimedWorkOptions) {
    this.#options = options
    this.#dueLater()
    this.#turnLater()
  }

  /** Does no more of it, and lets another server begin. What is under way goes on. */
  stop(): void {
    this.#isStopped = true
    this.#cancelTurn()
    this.#cancelDue()
    const { claims, name, holder } = this.#options
    // Should it fail, the claim runs out.
    if (this.#isOurs) void claims?.claim(name, holder, 0).catch(() => undefined)
  }

  #turnLater(): void {
    this.#cancelTurn = this.#options.clock.after(RENEW_MS, () => {
      void this.#turn()
        .catch((error) => this.#failed(error))
        .then(() => {
          if (!this.#isStopped) this.#turnLater()
        })
    })
  }

  async #turn(): Promise<void> {
    const { claims, name, holder, log } = this.#options
    const isOurs = (await claims?.claim(name, holder, CLAIM_MS)) ?? true
    if (this.#isStopped) return
    if (isOurs && this.#wasOthers) {
      log('work of another server is done here from now on', { work: name })
      this.#isDue = true
    }
    this.#isOurs = isOurs
    this.#wasOthers = !isOurs
    if (isOurs && this.#isDue && !this.#isWorking) void this.#work()
  }

  /** Not awaited by turns: however long it takes, the claim is renewed meanwhile. */
  async #work(): Promise<void> {
    this.#isWorking = true
    this.#isDue = false
    this.#dueLater()
    await this.#options.work().catch((error) => this.#failed(error))
    this.#isWorking = false
  }

  #dueLater(): void {
    this.#cancelDue()
    this.#cancelDue = this.#options.clock.after(this.#options.everyMs, () => {
      this.#isDue = true
    })
  }

  #failed(error: unknown): void {
    this.#options.log('a job failed', { work: this.#options.name, error: String(error) })
  }
}

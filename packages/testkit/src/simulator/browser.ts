/**
 * What the tabs of one device share besides its disk: locks, of which one tab at a time holds each, and a channel on
 * which each hears the others, in order. A tab that dies lets go of everything; one that is frozen keeps what it has, is
 * given what it waited for, and knows of neither until it wakes.
 */
import type { createClient } from '@parley/client'
import type { Tab } from './tab.ts'
import type { Timeline } from './timeline.ts'

type Options = Parameters<typeof createClient>[0]
type Locks = NonNullable<Options['locks']>
type OpenChannel = NonNullable<Options['openChannel']>

interface Request {
  readonly tab: Tab
  readonly name: string
  /** It has the lock. */
  readonly begin: () => void
  /** It will not have it, or not any more. */
  readonly fail: (error: Error) => void
}

interface Listener {
  readonly tab: Tab
  readonly name: string
  readonly hear: (message: unknown) => void
}

export class Browser {
  readonly #timeline: Timeline
  /** How long a message between tabs takes. */
  readonly #delayMs: number
  readonly #holders = new Map<string, Request>()
  #waiting: Request[] = []
  readonly #listeners = new Set<Listener>()
  readonly #loses: (message: unknown) => boolean
  /** Locks that a tab was given, and those that were taken from one that had them. */
  granted = 0
  stolen = 0

  /** @param loses what a mutation makes of the channel */
  constructor(timeline: Timeline, delayMs: number, loses: (message: unknown) => boolean) {
    this.#loses = loses
    this.#timeline = timeline
    this.#delayMs = delayMs
  }

  locksOf(tab: Tab): Locks {
    return {
      hold: (name, { signal, steal }, held) =>
        new Promise<void>((resolve, reject) => {
          const request: Request = {
            tab,
            name,
            begin: () =>
              tab.run(() => {
                const end = () => this.#release(request)
                held().then(
                  () => {
                    end()
                    resolve()
                  },
                  (error) => {
                    end()
                    reject(error)
                  },
                )
              }),
            fail: (error) => tab.run(() => reject(error)),
          }
          signal.addEventListener(
            'abort',
            () => {
              if (!this.#waiting.includes(request)) return
              this.#waiting = this.#waiting.filter((other) => other !== request)
              reject(new Error('The wish for the lock was withdrawn.'))
            },
            { once: true },
          )
          if (steal) this.#steal(request)
          else this.#waiting.push(request)
          this.#grant(name)
        }),
    }
  }

  openChannelOf(tab: Tab): OpenChannel {
    return (name, hear) => {
      const listener: Listener = { tab, name, hear }
      this.#listeners.add(listener)
      return {
        post: (message) => {
          const copy = structuredClone(message)
          if (this.#loses(copy)) return
          for (const other of this.#listeners) {
            if (other === listener || other.name !== name) continue
            this.#timeline.after(this.#delayMs, () =>
              other.tab.run(() => {
                if (this.#listeners.has(other)) other.hear(copy)
              }),
            )
          }
        },
        close: () => void this.#listeners.delete(listener),
      }
    }
  }

  /** A tab is no more. */
  gone(tab: Tab): void {
    for (const listener of this.#listeners) if (listener.tab === tab) this.#listeners.delete(listener)
    this.#waiting = this.#waiting.filter((request) => request.tab !== tab)
    for (const request of [...this.#holders.values()]) if (request.tab === tab) this.#release(request)
  }

  #steal(request: Request): void {
    const holder = this.#holders.get(request.name)
    this.#holders.delete(request.name)
    this.#waiting.unshift(request)
    if (!holder) return
    this.stolen++
    holder.fail(new Error('The lock was stolen.'))
  }

  #release(request: Request): void {
    if (this.#holders.get(request.name) !== request) return
    this.#holders.delete(request.name)
    this.#grant(request.name)
  }

  #grant(name: string): void {
    if (this.#holders.has(name)) return
    const next = this.#waiting.find((request) => request.name === name)
    if (!next) return
    this.#waiting = this.#waiting.filter((request) => request !== next)
    this.#holders.set(name, next)
    this.granted++
    this.#timeline.after(0, () => {
      if (this.#holders.get(name) === next) next.begin()
    })
  }
}

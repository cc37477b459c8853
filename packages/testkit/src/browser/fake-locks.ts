import type { Page } from './page.ts'

interface Wish {
  readonly page: Page
  readonly grant: () => void
  readonly lose: () => void
}

/** Web Locks of one browser: a queue for each name; a lock is free when its holder is done, dies, or is robbed. */
export class FakeLocks {
  readonly #holders = new Map<string, Wish>()
  readonly #queues = new Map<string, Wish[]>()

  /** Who has it. */
  holder(name: string): Page | undefined {
    return this.#holders.get(name)?.page
  }

  request(
    page: Page,
    name: string,
    { signal, steal }: { readonly signal: AbortSignal; readonly steal?: boolean },
    held: () => Promise<void>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => this.#leave(name, wish)
      const wish: Wish = {
        page,
        grant: () => page.run(() => void held().then(resolve, reject).finally(done)),
        lose: () => page.run(() => reject(new DOMException('The lock was stolen.', 'AbortError'))),
      }
      page.onDeath(done)
      signal.addEventListener('abort', () => {
        if (this.#holders.get(name) === wish) return
        done()
        reject(new DOMException('The wish was given up.', 'AbortError'))
      })
      if (steal) {
        this.#holders.get(name)?.lose()
        this.#hold(name, wish)
      } else {
        this.#queues.set(name, [...(this.#queues.get(name) ?? []), wish])
        this.#next(name)
      }
    })
  }

  #leave(name: string, wish: Wish): void {
    this.#queues.set(
      name,
      (this.#queues.get(name) ?? []).filter((other) => other !== wish),
    )
    if (this.#holders.get(name) === wish) this.#holders.delete(name)
    this.#next(name)
  }

  #next(name: string): void {
    if (this.#holders.has(name)) return
    const wish = this.#queues.get(name)?.shift()
    if (wish) this.#hold(name, wish)
  }

  #hold(name: string, wish: Wish): void {
    this.#holders.set(name, wish)
    queueMicrotask(() => {
      if (this.#holders.get(name) === wish) wish.grant()
    })
  }
}

/**
 * A browser with any number of pages of one origin, in one process: they share locks, channels and a disk, and each may
 * freeze, wake and die at any instant. A page sees the world through {@link FakeBrowser.page}: whatever it started goes on
 * without it, but it hears of nothing while it is frozen, or once it is dead.
 */
import type { ClientEnd } from '../hand-cranked-sockets.ts'
import { FakeChannels } from './fake-channels.ts'
import { FakeLocks } from './fake-locks.ts'
import { Page } from './page.ts'

interface Clock {
  now(): number
  wall(): number
  after(ms: number, task: () => void): () => void
}

/** What a page uses of the world; see the SDK's options of the same names. */
export interface PageWorld<Storage, Fetch> {
  readonly clock: Clock
  readonly storage: Storage
  readonly sockets: (url: string, protocol: string) => ClientEnd
  readonly fetch: Fetch
}

type Tell = (hint?: 'sleep' | 'wake') => void

type AnyFetch = (...request: never[]) => Promise<unknown>

type AnyStorage = {
  open(appId: string, options?: { readonly onLost?: ((reason: never) => void) | undefined }): Promise<object>
  destroy(appId: string): Promise<void>
}

export class FakeBrowser {
  readonly locks = new FakeLocks()
  readonly channels = new FakeChannels()

  /** Options for a client in a new page, and the page. */
  page<Storage extends AnyStorage, Fetch extends AnyFetch>(world: PageWorld<Storage, Fetch>) {
    const page = new Page()
    const hints = new Set<Tell>()
    return {
      page,
      /** The browser's own signs, as the page hears them. */
      hint: (hint?: 'sleep' | 'wake') => {
        for (const tell of hints) page.run(() => tell(hint))
      },
      options: {
        clock: {
          now: () => world.clock.now(),
          wall: () => world.clock.wall(),
          after: (ms: number, task: () => void) => {
            let isCancelled = false
            const cancel = world.clock.after(ms, () => page.run(() => isCancelled || task()))
            return () => {
              isCancelled = true
              cancel()
            }
          },
        },
        hints: (tell: Tell) => {
          hints.add(tell)
          return () => void hints.delete(tell)
        },
        locks: { hold: this.locks.request.bind(this.locks, page) },
        openChannel: (name: string, hear: (message: unknown) => void) => this.channels.open(page, name, hear),
        storage: pageStorage(page, world.storage),
        sockets: (url: string, protocol: string) => pageSocket(page, world.sockets(url, protocol)),
        fetch: ((...request: never[]) => page.promised(() => world.fetch(...request))) as Fetch,
      },
    }
  }
}

function pageStorage<Storage extends AnyStorage>(page: Page, storage: Storage): Storage {
  const opened: AnyStorage = {
    open: (appId, { onLost } = {}) =>
      page.promised(async () => {
        const lost = onLost && ((reason: never) => page.run(() => onLost(reason)))
        const replica = await storage.open(appId, { onLost: lost })
        return new Proxy(replica, {
          get: (target, name) => {
            const method: unknown = Reflect.get(target, name)
            if (typeof method !== 'function') return method
            return (...args: unknown[]) => page.promised(() => method.apply(target, args) as Promise<unknown>)
          },
        })
      }),
    destroy: (appId) => page.promised(() => storage.destroy(appId)),
  }
  return opened as Storage
}

/** What arrives waits while the page is frozen; when it dies, the browser closes its sockets. */
function pageSocket(page: Page, inner: ClientEnd): ClientEnd {
  const outer: ClientEnd = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (text) => page.isDead || inner.send(text),
    close: () => page.isDead || inner.close(),
  }
  inner.onopen = () => page.run(() => outer.onopen?.())
  inner.onmessage = (text) => page.run(() => outer.onmessage?.(text))
  inner.onclose = (code) => page.run(() => outer.onclose?.(code))
  page.onDeath(() => inner.close())
  return outer
}

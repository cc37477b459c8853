/**
 * Time, chance, locks and the channel between tabs as the SDK sees them. Everything below the client takes them as
 * arguments; the defaults here touch globals only when called, so that importing the SDK is harmless anywhere,
 * server-side rendering included.
 */
export interface Clock {
  /** Milliseconds that never jump: for durations and timers. */
  now(): number
  /** Unix milliseconds by the device's clock: for display and ids, never for a decision. */
  wall(): number
  /** Calls `task` once after `ms`. The function returned cancels it. */
  after(ms: number, task: () => void): () => void
}

export interface Chance {
  /** At least 0, below 1. */
  number(): number
  bytes(count: number): Uint8Array
}

/** When an event came, as a pure machine sees it: {@link Clock.now}, and {@link Chance.number} for what is left to that. */
export interface Moment {
  readonly now: number
  readonly chance: number
}

/** One holder at a time across the tabs of a browser. */
export interface Locks {
  /**
   * Waits for the lock, then runs `held`; the lock is free again when its promise settles or the tab dies. With `steal`
   * it takes the lock from whoever has it. Rejects if the signal fires while waiting, and if the lock is stolen.
   */
  hold(
    name: string,
    options: { readonly signal: AbortSignal; readonly steal?: boolean },
    held: () => Promise<void>,
  ): Promise<void>
}

/** Messages to every other tab of the browser, in order; one's own are not heard. */
export interface Channel {
  /** @throws if the message cannot be copied */
  post(message: unknown): void
  close(): void
}

/** Undefined where there is nobody to talk to. */
export type OpenChannel = (name: string, hear: (message: unknown) => void) => Channel | undefined

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
}

export const systemChance: Chance = {
  number: () => Math.random(),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
}

/** In Node each client is on its own, although newer versions have a `navigator` and a `BroadcastChannel` all the same. */
const isNode = () =>
  (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined

/**
 * Web Locks in browsers, where tabs share a database. Where there are none (Node; a page served over plain http), a
 * client takes what it asks for at first, and afterwards by force only: see TAB-9.
 */
export function systemLocks(): Locks {
  const locks = isNode() ? undefined : globalThis.navigator?.locks
  if (locks) {
    // The two options exclude each other.
    return {
      hold: (name, { signal, steal }, held) => locks.request(name, steal ? { steal } : { signal }, held),
    }
  }
  let isFirst = true
  return {
    async hold(_name, { signal, steal }, held) {
      if (isFirst || steal) {
        isFirst = false
        await held()
      } else await new Promise((_, reject) => signal.addEventListener('abort', reject))
    },
  }
}

export const systemChannel: OpenChannel = (name, hear) => {
  if (isNode() || typeof BroadcastChannel === 'undefined') return undefined
  const channel = new BroadcastChannel(name)
  channel.onmessage = ({ data }) => hear(data)
  return { post: (message) => channel.postMessage(message), close: () => channel.close() }
}

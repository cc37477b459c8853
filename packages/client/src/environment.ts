/**
 * Time, chance and locks as the SDK sees them. Everything below the client takes them as arguments; the defaults here
 * touch globals only when called, so that importing the SDK is harmless anywhere, server-side rendering included.
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

/** One holder at a time across the tabs of a browser. */
export interface Locks {
  /**
   * Waits for the lock, then runs `held`; the lock is free again when its promise settles or the tab dies. Rejects if
   * the signal fires while waiting.
   */
  hold(name: string, options: { readonly signal: AbortSignal }, held: () => Promise<void>): Promise<void>
}

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

/**
 * Web Locks in browsers, where tabs share a database. In Node each client has its own, and two of one app in a process
 * must not wait for each other; newer versions of Node have a `navigator` all the same.
 */
export const systemLocks: Locks = {
  async hold(name, { signal }, held) {
    const isNode = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined
    const locks = isNode ? undefined : globalThis.navigator?.locks
    if (locks) await locks.request(name, { signal }, held)
    else await held()
  },
}

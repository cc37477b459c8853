/** Answers true the first time it hears of a nonce, false from then on. */
export type ClaimNonce = (nonce: string) => boolean | Promise<boolean>

export interface NonceMemoryOptions {
  /** How long a nonce is remembered. The server's nonces live ten minutes, so nothing longer helps. */
  readonly lifetimeMs?: number
  /** How many are remembered at most; beyond it the oldest are forgotten first. */
  readonly capacity?: number
  /** Unix time in milliseconds. The system clock when absent. */
  readonly now?: () => number
}

/**
 * Remembers, in this process, for which nonces a token was made. The server lets a nonce in only once anyway; this
 * notices earlier that somebody sends one again. A service of several processes may want a shared store instead.
 */
export function createNonceMemory(options: NonceMemoryOptions = {}): (nonce: string) => boolean {
  const { lifetimeMs = 10 * 60_000, capacity = 20_000, now = Date.now } = options
  // In order of arrival, so whatever has to go is in front.
  const claimedAt = new Map<string, number>()

  return (nonce) => {
    const nowMs = now()
    for (const [old, at] of claimedAt) {
      if (nowMs - at < lifetimeMs && claimedAt.size < capacity) break
      claimedAt.delete(old)
    }
    if (claimedAt.has(nonce)) return false
    claimedAt.set(nonce, nowMs)
    return true
  }
}

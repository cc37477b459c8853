/** How long to wait before the next attempt, of whatever kind. */

/** The delay before the first retry is up to this, doubled for each further one. */
export const FIRST_DELAY_MS = 1_000
export const MAX_DELAY_MS = 30_000
/** Nothing, however often repeated, makes us try sooner than this after a loss. */
export const MIN_DELAY_MS = 250

/** Full jitter: anything up to a ceiling that doubles, so that a thousand clients cut at once come back spread out. */
export function retryDelayMs(attempt: number, chance: number): number {
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 16))
  return MIN_DELAY_MS + chance * (ceiling - MIN_DELAY_MS)
}

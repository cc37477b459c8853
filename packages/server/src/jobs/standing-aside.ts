import type { Clock } from '../clock.ts'

const LOOK_MS = 1_000
/** Looks in a row at which the store had to be silent: one alone is also what a process sees that has just slept. */
const LOOKS = 3

export interface StandingAsideOptions {
  /** Whether the store is silent here. */
  readonly isSilent: () => boolean
  /** Whether another server reaches it. */
  readonly isStoreElsewhere: () => boolean
  readonly sockets: {
    /** Asks everybody to go to another server, and lets nobody in. */
    standAside(): void
    /** Lets people in again. */
    standIn(): void
  }
  readonly clock: Pick<Clock, 'after'>
  readonly log: (message: string, details: Record<string, unknown>) => void
}

/**
 * A server that is cut off from the store, and knows of another that is not, asks everybody to go there, and lets nobody
 * in until the store answers again. Where all are cut off, people stay: they would only change one that cannot serve them
 * for another. The answer stops it.
 */
export function standAsideWhileCutOff(options: StandingAsideOptions): () => void {
  const { isSilent, isStoreElsewhere, sockets, clock, log } = options
  let silentLooks = 0
  let isAside = false
  let cancel = () => {}
  const look = () => {
    silentLooks = isSilent() ? silentLooks + 1 : 0
    if (!isAside && silentLooks >= LOOKS && isStoreElsewhere()) {
      isAside = true
      log('only this server is cut off from the store, so people are sent to the others', {})
      sockets.standAside()
    } else if (isAside && silentLooks === 0) {
      isAside = false
      log('the store answers here again', {})
      sockets.standIn()
    }
    cancel = clock.after(LOOK_MS, look)
  }
  cancel = clock.after(LOOK_MS, look)
  return () => cancel()
}

import { type Bus, type BusState, noCounts } from './bus.ts'

/**
 * A bus that is away for ever, for a server that was given none: it works as one that lost its bus, and hears of what
 * others write to its store by looking into it.
 */
export class NoBus implements Bus {
  readonly counts = noCounts()
  readonly state: BusState

  constructor(now: number) {
    this.state = { state: 'degraded', sinceMs: now }
  }

  publish(): void {
    this.counts.dropped += 1
  }

  subscribe(): () => void {
    return () => undefined
  }

  watch(): () => void {
    return () => undefined
  }

  async flush(): Promise<boolean> {
    return false
  }

  async close(): Promise<void> {}
}

/** The part of a load that counts: after warming up, for so long. */
import { coresMeter, pause, tell } from './task.ts'

export interface Window {
  readonly warmUpMs: number
  readonly measureMs: number
}

export interface Measured {
  readonly seconds: number
  /** Cores of this process, which makes the load. */
  readonly clientCores: number
}

export class Measurement {
  /** Whether what happens now counts. */
  isOn = false

  /** Warms up, tells the parent, and lets everything count for as long as wanted. */
  async run({ warmUpMs, measureMs }: Window): Promise<Measured> {
    await pause(warmUpMs)
    tell('measuring')
    this.isOn = true
    const cores = coresMeter()
    const from = performance.now()
    await pause(measureMs)
    this.isOn = false
    return { seconds: (performance.now() - from) / 1000, clientCores: cores() }
  }
}

/** By how much a count rises in a second, seen for so long. */
export async function ratePerSecond(count: () => number, ms: number): Promise<number> {
  const before = count()
  const from = performance.now()
  await pause(ms)
  return ((count() - before) / (performance.now() - from)) * 1000
}

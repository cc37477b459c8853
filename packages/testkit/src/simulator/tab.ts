/**
 * One process of the SDK on a device: all there is of an app, or one of the tabs of a browser. Whatever happens to it
 * comes in by `run`: once dead it hears nothing more, frozen it hears everything when it wakes, in order.
 */
import type { Client } from '@parley/client'
import type { Process } from './device-disk.ts'
import type { Timeline } from './timeline.ts'
import type { Wire } from './wire.ts'

export class Tab implements Process {
  readonly #timeline: Timeline
  #missed: (() => void)[] = []
  /** Which of the device's tabs it is, in the order they were opened. */
  readonly number: number
  readonly name: string
  isDead = false
  /** Asleep, or about to be. */
  isSleepy = false
  #isFrozen = false
  /** Set as soon as it runs. */
  client!: Client
  readonly wires = new Set<Wire>()
  /** Calls that have not settled. */
  readonly open = new Set<string>()
  look: (hint?: 'sleep' | 'wake') => void = () => undefined
  /** The session it saw last. */
  session: string | undefined

  constructor(timeline: Timeline, number: number, name: string) {
    this.number = number
    this.name = name
    this.#timeline = timeline
  }

  run = (task: () => void): void => {
    if (this.isDead) return
    if (this.#isFrozen) this.#missed.push(task)
    else task()
  }

  /** Nothing of it runs until it wakes; it may be told just before. */
  freeze(isTold: boolean): void {
    this.isSleepy = true
    if (isTold) this.look('sleep')
    this.#timeline.after(0, () => {
      this.#isFrozen = true
    })
  }

  wake(isTold: boolean): void {
    this.isSleepy = false
    this.#isFrozen = false
    for (const task of this.#missed.splice(0)) this.#timeline.after(0, () => this.run(task))
    if (isTold) this.look('wake')
  }

  die(): void {
    this.isDead = true
    for (const wire of this.wires) wire.deviceDied()
  }
}

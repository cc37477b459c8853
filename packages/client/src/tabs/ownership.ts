/**
 * Runs the leadership machine of one tab: it owns the wish for the lock (or the lock), and one timer, and turns what
 * happens to them into events. What an owner does and what tabs say to each other is for the tab.
 */
import { deferred } from '../deferred.ts'
import type { Chance, Clock, Locks } from '../environment.ts'
import {
  type Leadership,
  type LeadershipEffect,
  type LeadershipEvent,
  leadershipClosed,
  leadershipStep,
} from './leadership.ts'

export interface OwnershipPorts {
  readonly name: string
  readonly locks: Locks
  readonly clock: Clock
  readonly chance: Chance
  /** Without a channel no owner can be heard, and so none can be missed. */
  readonly hearsOthers: () => boolean
  readonly perform: (effect: Exclude<LeadershipEffect, 'queue' | 'withdraw' | 'steal'>) => void
}

export class Ownership {
  readonly #ports: OwnershipPorts
  #leadership: Leadership = leadershipClosed
  /** Gives the lock back, or stops waiting for it. */
  #withdraw = () => {}
  #cancelTimer = () => {}

  constructor(ports: OwnershipPorts) {
    this.#ports = ports
  }

  get state(): Leadership['state'] {
    return this.#leadership.state
  }

  dispatch(event: LeadershipEvent): void {
    const { clock, chance } = this.#ports
    const { next, effects } = leadershipStep(this.#leadership, event, { now: clock.now(), chance: chance.number() })
    if (next !== this.#leadership) this.#setTimer(next)
    this.#leadership = next
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: LeadershipEffect): void {
    if (effect === 'queue' || effect === 'steal') this.#request(effect === 'steal')
    else if (effect === 'withdraw') this.#withdraw()
    else this.#ports.perform(effect)
  }

  #request(steal: boolean): void {
    const { locks, name } = this.#ports
    const abort = new AbortController()
    const { signal } = abort
    const released = deferred()
    this.#withdraw = () => {
      abort.abort()
      released.resolve()
    }
    const held = async () => {
      if (signal.aborted) return
      this.dispatch('granted')
      await released.promise
    }
    locks.hold(name, { signal, steal }, held).catch(() => {
      if (!signal.aborted) this.dispatch('lost')
    })
  }

  #setTimer({ state, until }: Leadership): void {
    const { clock, hearsOthers } = this.#ports
    this.#cancelTimer()
    if (until === null || (state !== 'seeking' && !hearsOthers())) return
    this.#cancelTimer = clock.after(Math.max(0, until - clock.now()), () => this.dispatch('deadline'))
  }
}

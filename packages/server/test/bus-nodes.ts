/** Nodes in one process, on one bus, that stand still until the clock is cranked. */
import { SeededChance, VirtualClock } from '@parley/testkit'
import { Exchange } from '../src/bus/exchange.ts'
import { MemoryBusNetwork } from '../src/bus/memory/memory-bus.ts'

export class TestNodes {
  readonly clock = new VirtualClock()
  readonly chance: SeededChance
  readonly network: MemoryBusNetwork
  readonly logged: string[] = []

  constructor(seed = 1) {
    this.chance = new SeededChance(seed)
    this.network = new MemoryBusNetwork({ clock: this.clock, chance: this.chance.number })
  }

  /** A node; `stop` kills it without a word. */
  start(node: string, options: { readonly partitions?: number; readonly hasStore?: () => boolean } = {}) {
    const { clock } = this
    const bus = this.network.join()
    const log = (message: string) => this.logged.push(message)
    const soon = (callback: () => void) => void clock.after(0, callback)
    // A clock of its own, so that a node can stand still while the others go on.
    const own = new Pausable(clock)
    const exchange = new Exchange({
      ...{ bus, clock: own, elapsed: clock.now, secret: 'secret', node, log, soon, ...options },
    })
    const stop = async () => {
      own.isPaused = true
      await bus.close()
    }
    return { bus, exchange, stop, clock: own }
  }
}

/** Time of a process that may be stopped: what falls due meanwhile runs when it goes on. */
export class Pausable {
  readonly #clock: VirtualClock
  #isPaused = false
  #late: (() => void)[] = []

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  now = (): number => 1_000_000 + this.#clock.now()

  after = (ms: number, callback: () => void): (() => void) => {
    let isCancelled = false
    const cancel = this.#clock.after(ms, () => {
      if (this.#isPaused) this.#late.push(() => isCancelled || callback())
      else callback()
    })
    return () => {
      isCancelled = true
      cancel()
    }
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused
    if (!isPaused) for (const callback of this.#late.splice(0)) callback()
  }
}

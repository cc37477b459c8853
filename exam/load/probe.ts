import { until } from '@parley/testkit'
import { percentile } from '../checker/percentile.ts'
import type { RowContext } from '../row.ts'
import { forkSource } from '../runner/fork-source.ts'
import type { ReachableServer } from './reachable-server.ts'

const program = new URL('probe-process.ts', import.meta.url)

/** What the write lane is like for somebody who asks little, while others ask for much; from a process of its own. */
export class Probe {
  readonly #waits = new Map<string, number[]>()
  #when = 'before'

  static async start(context: RowContext, server: ReachableServer): Promise<Probe> {
    const probe = new Probe()
    const child = forkSource(program, [server.websocketUrl, await server.signIn('probe')])
    context.onEnd(() => child.kill())
    child.on('message', (ms) => probe.#note(ms as number))
    await until(() => probe.#waits.size > 0, 'the probe is answered')
    return probe
  }

  async during<T>(when: string, work: () => Promise<T>): Promise<T> {
    this.#when = when
    return work()
  }

  /** How long an acknowledgement took for 99 of 100, in milliseconds, by what went on. */
  worst(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#waits].map(([when, waits]) => [when, Math.round(percentile(waits, 0.99))]))
  }

  #note(ms: number): void {
    const waits = this.#waits.get(this.#when) ?? []
    this.#waits.set(this.#when, waits)
    waits.push(ms)
  }
}

import type { ChildProcess } from 'node:child_process'
import { until } from '@parley/testkit'
import type { RowContext } from '../row.ts'
import { forkSource } from '../runner/fork-source.ts'

const program = new URL('idle-readers-process.ts', import.meta.url)

/** Some sockets of one person that read, stop reading, and read on; their work is not done by whoever measures. */
export class IdleReaders {
  readonly #child: ChildProcess
  readonly #done = new Set<string>()
  /** How the sockets ended, and how many each way; once all have. */
  codes: Readonly<Record<number, number>> | undefined

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (told: { done?: string; codes?: Record<number, number> }) => {
      if (told.done) this.#done.add(told.done)
      this.codes = told.codes ?? this.codes
    })
  }

  static async open(context: RowContext, url: string, token: string, count: number): Promise<IdleReaders> {
    const child = forkSource(program, [url, token, String(count)])
    context.onEnd(() => child.kill())
    const readers = new IdleReaders(child)
    await until(() => readers.#done.has('open'), `${count} sockets are open`)
    return readers
  }

  async tell(order: 'stop' | 'read'): Promise<void> {
    this.#child.send(order)
    await until(() => this.#done.has(order), `the sockets ${order}`)
  }
}

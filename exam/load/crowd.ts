import type { ChildProcess } from 'node:child_process'
import type { RowContext } from '../row.ts'
import { forkSource } from '../runner/fork-source.ts'
import type { Manner } from './crowd-member.ts'
import { RawVisitor } from './raw-visitor.ts'
import type { ReachableServer } from './reachable-server.ts'

/** Somebody signed in, and where they talk. */
export interface Guest {
  readonly token: string
  readonly conversation: string
}

export type CrowdOrder =
  | {
      readonly type: 'open'
      readonly url: string
      readonly guests: readonly Guest[]
      readonly count: number
      readonly manner: Manner
    }
  /** The next so many that come (back) say something at once. */
  | { readonly type: 'talk'; readonly first: number }

export interface CrowdReport {
  readonly live: number
  readonly attempts: number
  /** How connections and attempts at one ended, and how often. */
  readonly closed: Readonly<Record<string, number>>
  readonly asked: number
  /** How long each of those who spoke waited for the acknowledgement, in milliseconds. */
  readonly answered: readonly number[]
}

const program = new URL('crowd-process.ts', import.meta.url)

/** A process full of sockets: one has files for no more than some thousands, and time for few more. */
export class Crowd {
  readonly #child: ChildProcess
  report: CrowdReport = { live: 0, attempts: 0, closed: {}, asked: 0, answered: [] }

  constructor({ onEnd }: RowContext) {
    this.#child = forkSource(program)
    this.#child.on('message', (report) => {
      this.report = report as CrowdReport
    })
    onEnd(() => this.#child.kill('SIGKILL'))
  }

  tell(order: CrowdOrder): void {
    this.#child.send(order)
  }
}

/** So many people signed in, each with a conversation with the next one. */
export async function guestsOf(server: ReachableServer, count: number, prefix = 'guest'): Promise<Guest[]> {
  const guests: Guest[] = []
  for (let i = 0; i < count; i++) {
    const token = await server.signIn(`${prefix} ${i}`)
    const visitor = await RawVisitor.greeted(server.websocketUrl, token)
    const conversation = await visitor.conversation([`${prefix} ${(i + 1) % count}`])
    visitor.socket.close()
    guests.push({ token, conversation })
  }
  return guests
}

/**
 * What this tab shows of the owner, to its own app: who is signed in, how far things are, and whatever else the app is told
 * of. The same thing is told once, since after a change of owners most things are as they were; and nothing once this
 * client is closed.
 */
import type { ClientEvents, Tell } from '../client-types.ts'
import { share } from '../queries/share.ts'
import { stopped } from '../sync/connection-state.ts'
import { NO_HISTORY } from '../sync/history.ts'
import type { Snapshot } from './messages.ts'

export class Shown {
  readonly #tell: Tell
  #snapshot: Snapshot = {
    state: { state: 'opening' },
    connection: stopped,
    history: NO_HISTORY,
    shown: undefined,
    aliases: new Map(),
    wantsConnection: true,
  }

  constructor(tell: Tell) {
    this.#tell = tell
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  get isClosed(): boolean {
    return this.#snapshot.state.state === 'closed'
  }

  tell(name: keyof ClientEvents, event: unknown): void {
    if (this.isClosed) return
    const before = (this.#snapshot as Partial<Record<keyof ClientEvents, unknown>>)[name]
    if (share(before, event) === before) return
    if (name === 'state' || name === 'connection' || name === 'history') this.note({ [name]: event })
    else if (name === 'relabelled') {
      const { from, to } = event as ClientEvents['relabelled']
      this.note({ aliases: new Map([...this.#snapshot.aliases, [from, to]]) })
    }
    this.#tell(name, event as never)
  }

  /** What the app is not told of, or sees elsewhere. */
  note(news: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...news }
  }
}

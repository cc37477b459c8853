import type { Clock } from './environment.ts'
import { abortable, ParleyError, throwIfAborted, within } from './errors.ts'

export type Online = typeof import('./online.ts')
export type LoadOnline = () => Promise<Online>

/** What takes longer to come is given up for now. */
const PATIENCE_MS = 20_000

/**
 * Fetches over the network what is of no use without it (`online.ts`). Not to have it is like not reaching the server: a
 * connection is tried again later, what an app asks for fails with `unreachable`, and everything is as it was. Where
 * there is a connection, or was one, it is present.
 */
export class OnlinePart {
  readonly #load: LoadOnline
  readonly #clock: Clock
  /** Undefined until it is here. */
  present: Online | undefined

  constructor(load: LoadOnline, clock: Clock) {
    this.#load = load
    this.#clock = clock
  }

  /** One attempt, if it is not here already. */
  async get(signal: AbortSignal): Promise<Online> {
    try {
      this.present ??= await within({ clock: this.#clock, ms: PATIENCE_MS, signal }, (limited) =>
        abortable(this.#load(), limited),
      )
      return this.present
    } catch (cause) {
      throwIfAborted(signal)
      throw new ParleyError('unreachable', 'A part of the SDK could not be fetched.', { cause })
    }
  }
}

/** Where an SDK lives, and how a test speaks to it. */
import type { SdkWorld, WireEntry, WorldOptions } from './sdk-world.ts'

export interface SdkHostOptions extends WorldOptions {
  /** What the app's authentication service answers for a nonce. */
  readonly identityToken: (nonce: string) => Promise<string>
}

/** What each kind of place must be able to do. */
export interface SdkPlace {
  /** Runs a function, given as text, with the world and an argument of JSON. */
  evaluate(source: string, arg: unknown): Promise<unknown>
  close(): Promise<void>
}

const DEADLINE_MS = 20_000

export class SdkHost {
  readonly #place: SdkPlace

  constructor(place: SdkPlace) {
    this.#place = place
  }

  /** Runs a function beside the SDK. It may use its arguments and nothing else of the test. */
  async run<T, A = undefined>(task: (sdk: SdkWorld, arg: A) => T | Promise<T>, arg?: A): Promise<T> {
    return (await this.#place.evaluate(task.toString(), arg ?? null)) as T
  }

  /** Waits until a function beside the SDK answers something that is true, and answers it. */
  async until<T, A = undefined>(task: (sdk: SdkWorld, arg: A) => T, arg?: A): Promise<NonNullable<T>> {
    const deadline = Date.now() + DEADLINE_MS
    for (;;) {
      const answer = await this.run(task, arg)
      if (answer) return answer as NonNullable<T>
      if (Date.now() > deadline) {
        const wire = await this.run((sdk) =>
          sdk.wire.slice(-12).map(({ way, what, status }) => `${way} ${what} ${status ?? ''}`),
        )
        throw new Error(
          `Never came: ${task.toString()} with ${JSON.stringify(arg)}. Last on the wire:\n${wire.join('\n')}`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** What went over the wire from an index on. */
  wire(from = 0): Promise<WireEntry[]> {
    return this.run((sdk, start) => sdk.wire.slice(start), from)
  }

  /** Waits until something went over the wire from an index on. */
  heard(way: WireEntry['way'], what: string, from = 0): Promise<WireEntry> {
    return this.until(
      (sdk, asked) =>
        sdk.wire.slice(asked.from).find((entry) => entry.way === asked.way && entry.what.startsWith(asked.what)),
      { way, what, from },
    )
  }

  close(): Promise<void> {
    return this.#place.close()
  }
}

/**
 * The book of one device: what was asked for there and what the SDK said became of it. It is what a run is judged by
 * (`deeds.ts`); every call must settle, and fail only in words that the SDK documents.
 */
import type { Client, ConversationHandle, Operation } from '@parley/client'
import type { Deed } from './deeds.ts'
import type { Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'

/** What is asked for, where, whose device it is at that moment, and which copy of the data is on it. */
export interface Asked extends Pick<Deed, 'name' | 'conversation' | 'mark' | 'userId' | 'installation'> {
  readonly tab: Tab
}

/** The call of the SDK's that asks for it; undefined if there was nothing to ask for. */
export type Asking = (
  client: Client,
) => Promise<(Operation & { readonly conversation?: ConversationHandle }) | undefined>

export class DeedBook {
  readonly #device: string
  readonly #world: Surroundings
  /** What was given up by its id, which whoever asked for it may learn later. */
  readonly #givenUp = new Set<string>()

  constructor(device: string, world: Surroundings) {
    this.#device = device
    this.#world = world
  }

  /** Any call of the SDK's. It must settle, and fail only in words that the SDK documents. */
  call<T>(tab: Tab, what: string, call: (client: Client) => Promise<T>): Promise<T | undefined> {
    const label = `${what} #${this.#world.deeds.length}.${tab.open.size}`
    tab.open.add(label)
    return promised(
      () => call(tab.client),
      (error) => this.#world.problem(`${this.#device}: ${what} threw ${error}`),
    ).then(
      (answer) => {
        tab.open.delete(label)
        return answer
      },
      (error: unknown) => {
        tab.open.delete(label)
        if ((error as Error).name !== 'ParleyError') {
          this.#world.problem(`${this.#device}: ${what} failed with ${(error as Error).stack ?? error}`)
        }
        return undefined
      },
    )
  }

  /** Asks for an operation and keeps book of it. */
  ask({ tab, ...asked }: Asked, call: Asking): void {
    const { deeds, plan, problem, tell } = this.#world
    const deed: Deed = {
      number: deeds.length + 1,
      ...asked,
      device: this.#device,
      tab: tab.number,
      state: 'asked',
      operationId: null,
      acknowledged: undefined,
      wasRefused: false,
      isGivenUp: false,
    }
    deeds.push(deed)
    const { name } = asked
    const label = `${name} #${deed.number}`
    tab.open.add(label)
    const settle = () => tab.open.delete(label)
    const failed = (error: unknown) => {
      const { name: kind, code } = error as { name?: string; code?: string }
      if (kind !== 'ParleyError') problem(`${this.#device}: ${label} failed with ${(error as Error).stack ?? error}`)
      if (code === 'refused') deed.wasRefused = true
      if (code === 'discarded') deed.isGivenUp = true
      tell(`${this.#device}: ${label} failed: ${code}`)
      settle()
    }
    promised(
      () => call(tab.client),
      (error) => problem(`${this.#device}: ${name} threw ${error}`),
    ).then(
      (operation) => {
        if (operation === undefined) {
          deed.state = 'refused-locally'
          settle()
          return
        }
        deed.state = 'placed'
        deed.operationId = operation.operationId
        if (this.#givenUp.has(operation.operationId)) deed.isGivenUp = true
        if (operation.conversation) deed.conversation = operation.conversation.id
        operation.acknowledged.then((answer) => {
          deed.acknowledged = answer ?? true
          settle()
        }, failed)
      },
      (error) => {
        // A tab that closes does not hear any more what another one made of it (TAB-8).
        if (!plan.hasTabs || error.code !== 'closed') deed.state = 'refused-locally'
        failed(error)
      },
    )
  }

  /** The app was told that these will not be done, or said so itself. */
  giveUp(entries: readonly { readonly id: string }[]): void {
    for (const { id } of entries) this.#givenUp.add(id)
    for (const deed of this.#deedsOf(entries)) deed.isGivenUp = true
  }

  /** Likewise of all that was asked for in a copy of the data. */
  giveUpAll(installation: number): void {
    for (const deed of this.#world.deeds) {
      if (deed.device === this.#device && deed.installation === installation) deed.isGivenUp = true
    }
  }

  /** The server said no to these. */
  refused(entries: readonly { readonly id: string; readonly state: unknown }[]): void {
    for (const deed of this.#deedsOf(entries)) deed.wasRefused = true
    this.#world.tell(
      `${this.#device}: refused: ${JSON.stringify(entries.map((entry) => [entry.id.slice(-4), entry.state]))}`,
    )
  }

  #deedsOf(entries: readonly { readonly id: string }[]): Deed[] {
    const ids = new Set(entries.map(({ id }) => id))
    return this.#world.deeds.filter((deed) => deed.operationId !== null && ids.has(deed.operationId))
  }
}

/** What answers by a promise rejects; it does not throw. */
function promised<T>(call: () => Promise<T>, threw: (error: unknown) => void): Promise<T> {
  try {
    return call()
  } catch (error) {
    threw(error)
    return Promise.reject(error)
  }
}

/**
 * The owner's side: carries out what any tab of this browser asks for, its own included. It owns the authentication and
 * the engine of one term, and the calls that run. Whoever asked is answered by a function, near or far.
 */
import type { ConversationId, IdentityId } from '@parley/protocol'
import { Authentication } from '../authentication/authentication.ts'
import type { AuthenticationPorts } from '../authentication/authentication-ports.ts'
import { unavailable } from '../authentication/authentication-state.ts'
import type { ChallengeHandler } from '../authentication/challenge-handler.ts'
import { discarded, storageError } from '../errors.ts'
import { findDistinct } from '../operations/find-distinct.ts'
import type { Placed } from '../outbox/outbox.ts'
import { listUnsent } from '../outbox/stored-entries.ts'
import { type ConnectionState, stopped } from '../sync/connection-state.ts'
import { type Engine, FULL_RETRY_MS } from '../sync/engine.ts'
import { type HistoryProgress, NO_HISTORY } from '../sync/history.ts'
import { type Answer, type Call, isOperation, type Verb, type Verbs } from './messages.ts'
import type { SharedReplica } from './shared-replica.ts'

export interface OwnerPorts extends AuthenticationPorts {
  readonly replica: AuthenticationPorts['replica'] & Pick<SharedReplica, 'hasTerm'>
}

/** A tab that asks. */
export interface Asker {
  /** Fires when the answer is not wanted any more. */
  readonly signal: AbortSignal
  /** The app's handler in that tab. */
  readonly challenge: ChallengeHandler
  readonly answer: (answer: Answer) => void
}

type Carrying = { readonly [V in Verb]: (call: Call<V>, asker: Asker) => ReturnType<Verbs[V]> }

const NO_ALIASES: ReadonlyMap<ConversationId, ConversationId> = new Map()

export class Owner {
  readonly authentication: Authentication
  readonly #ports: OwnerPorts
  readonly #carrying: Carrying
  #isRetired = false

  constructor(ports: OwnerPorts) {
    this.#ports = ports
    const unlessRetired =
      <Args extends readonly unknown[]>(say: (...args: Args) => void) =>
      (...args: Args) =>
        this.#isRetired || say(...args)
    const authentication = new Authentication({
      ...ports,
      tell: unlessRetired(ports.tell),
      onBasis: unlessRetired(ports.onBasis),
      onBroken: unlessRetired(ports.onBroken),
    })
    this.authentication = authentication
    this.#carrying = {
      add: (call) => this.#add(call),
      create: (call) => this.#create(call),
      retry: async ({ args: [id], isRepeat }) => this.#engine.outbox.retry(id, isRepeat !== undefined),
      discard: async ({ args: [id] }) => this.#engine.outbox.discard(id),
      authenticate: ({ args: [userId] }, { signal, challenge }) =>
        authentication.authenticate(userId, signal, challenge),
      deauthenticate: ({ args: [options] }, { signal }) => authentication.deauthenticate({ ...options, signal }),
      connect: () => authentication.connect(),
      disconnect: () => authentication.disconnect(),
      look: () => authentication.engine?.hint(),
      typing: ({ args: [conversation] }) => authentication.engine?.typing?.press(conversation),
      stopTyping: ({ args: [conversation] }) => authentication.engine?.typing?.stop(conversation),
    }
  }

  get connection(): ConnectionState {
    return this.authentication.engine?.connection ?? stopped
  }

  get history(): HistoryProgress {
    return this.authentication.engine?.historyProgress ?? NO_HISTORY
  }

  get aliases(): ReadonlyMap<ConversationId, ConversationId> {
    return this.authentication.engine?.outbox.aliases ?? NO_ALIASES
  }

  /** Its term is over: from now on it says nothing. Settles once nothing of it is under way any more. */
  retire(): Promise<void> {
    this.#isRetired = true
    return this.authentication.close()
  }

  /** Carries a call out, and gives its answers as they come. */
  async carryOut(call: Call, asker: Asker): Promise<void> {
    const { answer } = asker
    try {
      // The cast: each call goes to its own verb.
      const carry = this.#carrying[call.verb] as (call: Call, asker: Asker) => unknown
      const value = await carry(call, asker)
      if (!isOperation(call)) return answer({ value })
      const { acknowledged, ...placed } = value as Placed
      answer({ value: placed })
      acknowledged.then(
        (outcome) => answer({ acknowledged: outcome }),
        (failed) => answer({ failed }),
      )
    } catch (error) {
      // Who owned before, and sleeps, may have heard it too: that it was not done is true only once they cannot do it any more.
      const { clock, replica } = this.#ports
      if (isOperation(call) && call.isRepeat && !replica.hasTerm) {
        clock.after(FULL_RETRY_MS, () => {
          if (this.authentication.state.state !== 'closed') void this.carryOut(call, asker)
        })
      } else answer(call.isRepeat === 'placed' ? { failed: error } : { error })
    }
  }

  #add({ args: [draft], isRepeat, identity }: Call<'add'>): Promise<Placed> {
    return this.#engineFor(identity, isRepeat).add(draft, isRepeat === 'placed')
  }

  async #create(call: Call<'create'>): Promise<Placed> {
    const [draft] = call.args
    const { outbox } = this.#engineFor(call.identity, call.isRepeat)
    const known = draft.input.distinct && !outbox.has(draft.id) ? await this.#find(call) : undefined
    if (known === undefined || known === draft.conversation) return this.#add({ ...call, verb: 'add', args: [draft] })
    // On its way itself, it is acknowledged when the server has made it, and not at all if it is given up.
    const creation = outbox.creationOf(known) ?? Promise.resolve({ conversation: known })
    const acknowledged = creation.then(({ conversation }) => ({
      result: { conversation, outcome: 'found' },
      conversation,
    }))
    return { id: draft.id, conversation: known, acknowledged }
  }

  async #find({ args: [, people], identity, isRepeat }: Call<'create'>): Promise<ConversationId | undefined> {
    const { replica } = this.#ports
    try {
      return await findDistinct(replica, await listUnsent(replica), people)
    } catch (error) {
      // Signing out may have taken the database away; then that is what is said.
      this.#engineFor(identity, isRepeat)
      throw storageError(error)
    }
  }

  get #engine(): Engine {
    const { state, engine } = this.authentication
    if (engine && (state.state === 'authenticated' || state.state === 'challenged')) return engine
    throw unavailable(state)
  }

  #engineFor(identity: IdentityId | undefined, isRepeat: Call['isRepeat']): Engine {
    if (this.authentication.identity?.id === identity) return this.#engine
    // What was placed and is asked about again went with its user.
    throw isRepeat === 'placed' ? discarded() : unavailable(this.authentication.state)
  }
}

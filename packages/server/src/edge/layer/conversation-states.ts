import type { ToldConversationMove } from '../../delivery/change.ts'
import { ConversationState } from '../../model/conversation-state.ts'
import type { AppKey } from '../../model/state.ts'
import { NOTHING } from '../../store/store.ts'
import type { Edge } from '../edge.ts'
import type { ConversationMove } from './changes/telling.ts'

/**
 * Whole conversations for changes that another server committed: Layer's clients are told of a message with everybody's
 * receipts, and of a change with what it makes of their own side. Read once for all listeners of a change, perhaps a
 * little newer than the change itself.
 */
export class ConversationStates {
  readonly #edge: Edge
  readonly #moves = new WeakMap<ToldConversationMove, Promise<ConversationMove | undefined>>()

  constructor(edge: Edge) {
    this.#edge = edge
  }

  /** The move with its conversation; undefined if there is none any more. */
  of(app: AppKey, move: ToldConversationMove): Promise<ConversationMove | undefined> {
    const known = this.#moves.get(move)
    if (known) return known
    const whole = this.#load(app, move)
    this.#moves.set(move, whole)
    return whole
  }

  async #load(app: AppKey, move: ToldConversationMove): Promise<ConversationMove | undefined> {
    const wanted = { ...NOTHING, conversations: [{ app, key: move.conversation.id }] }
    const [loaded] = (await this.#edge.store.log.load(wanted)).conversations
    const conversation = loaded && new ConversationState(loaded)
    return conversation && { ...move, conversation, audience: conversation.audience }
  }
}

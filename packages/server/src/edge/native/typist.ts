import type { Session } from '../../model/state.ts'
import { type Allowance, typingAllowance } from '../allowance.ts'
import type { Edge } from '../edge.ts'
import type { Frame } from './frames.ts'

/** Who types at one connection: the others are told, as often as is allowed and as long as there is nothing better to do. */
export class Typist {
  readonly #edge: Edge
  readonly #allowance: Allowance

  constructor(edge: Edge) {
    this.#edge = edge
    this.#allowance = typingAllowance(edge.clock)
  }

  tell({ conversation, action }: Frame<'typing'>, { app, userId }: Session): void {
    const { lane, tally, delivery } = this.#edge
    // The first thing to be left out.
    if (lane.isPressed) return
    if (!this.#allowance.take()) {
      tally.rateLimited.add('typing')
      return
    }
    void delivery.type(app, { conversation, sender: userId, action }).catch(() => undefined)
  }
}

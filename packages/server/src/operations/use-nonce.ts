import type { Decision } from '../model/decision.ts'
import type { Operation } from './operation.ts'

export interface UseNonce {
  readonly nonceHash: string
  /**
   * Whether it is one of ours, and young enough. One that is not is looked up all the same: who guesses nonces must not
   * tell by the clock which of them were ever issued.
   */
  readonly isGood: boolean
  /** When it has expired for certain, clocks that jump back included. */
  readonly forgetAt: number
}

/** Spends a nonce: true for exactly one of all who try. */
export const useNonce: Operation<UseNonce, { readonly isFirst: boolean }> = {
  name: 'use-nonce',
  remembered: false,
  reads: (input) => ({ nonces: [input.nonceHash] }),
  decide({ nonceHash, isGood, forgetAt }, _asking, facts): Decision<{ isFirst: boolean }> {
    if (facts.isNonceUsed(nonceHash) || !isGood) return { facts: [], result: { isFirst: false } }
    return { facts: [{ type: 'nonce-used', nonceHash, forgetAt }], result: { isFirst: true } }
  },
}

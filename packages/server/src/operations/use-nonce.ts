import type { Decision, Fact, Facts } from '../model/decision.ts'
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

/** What spends the nonce, for the first of all who try; undefined for the others. */
export function spendNonce({ nonceHash, isGood, forgetAt }: UseNonce, facts: Facts): Fact | undefined {
  return facts.isNonceUsed(nonceHash) || !isGood ? undefined : { type: 'nonce-used', nonceHash, forgetAt }
}

/** Spends a nonce by itself: true for exactly one of all who try. */
export const useNonce: Operation<UseNonce, { readonly isFirst: boolean }> = {
  name: 'use-nonce',
  remembered: false,
  reads: (input) => ({ nonces: [input.nonceHash] }),
  decide(input, _asking, facts): Decision<{ isFirst: boolean }> {
    const spent = spendNonce(input, facts)
    return { facts: spent ? [spent] : [], result: { isFirst: spent !== undefined } }
  },
}

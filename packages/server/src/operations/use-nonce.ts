import type { Decision } from '../model/decision.ts'
import type { Operation } from './operation.ts'

export interface UseNonce {
  readonly nonceHash: string
  /** When it has expired for certain, clocks that jump back included. */
  readonly forgetAt: number
}

/** Spends a nonce: true for exactly one of all who try. */
export const useNonce: Operation<UseNonce, { readonly isFirst: boolean }> = {
  name: 'use-nonce',
  remembered: false,
  reads: (input) => ({ nonces: [input.nonceHash] }),
  decide(input, _asking, facts): Decision<{ isFirst: boolean }> {
    if (facts.isNonceUsed(input.nonceHash)) return { facts: [], result: { isFirst: false } }
    return { facts: [{ type: 'nonce-used', ...input }], result: { isFirst: true } }
  },
}

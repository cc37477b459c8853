import type { Refusal } from '@parley/protocol'
import type { StoreOutage } from '../store/store.ts'

/** When to try again where the store did not answer. */
const RETRY_MS = 1_000

/** What whoever asked is told when the store does not answer. */
export const outageRefusal = ({ refusal }: StoreOutage): Refusal => ({
  id: refusal as Refusal['id'],
  retryAfterMs: RETRY_MS,
})

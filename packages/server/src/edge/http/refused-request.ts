import type { Refusal } from '@parley/protocol'

/** Thrown by routes to answer with a refusal; the error handler renders it. It never leaves the HTTP edge. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest'
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.message ?? refusal.id)
    this.refusal = refusal
  }
}

/** The value, unless it is a refusal: then the request ends here. */
export function accepted<T extends object>(outcome: T | { readonly refusal: Refusal }): T {
  if ('refusal' in outcome) throw new RefusedRequest(outcome.refusal)
  return outcome
}

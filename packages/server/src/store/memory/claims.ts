import type { ClaimStore } from '../store.ts'

/** Who does what, on a clock that nobody sets. */
export function memoryClaims(): ClaimStore {
  const claims = new Map<string, { readonly holder: string; readonly until: number }>()
  return {
    async claim(work, holder, ms) {
      const now = performance.now()
      const known = claims.get(work)
      if (known && known.holder !== holder && known.until > now) return false
      claims.set(work, { holder, until: now + ms })
      return true
    },
  }
}

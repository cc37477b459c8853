/**
 * The previous value if the next one says the same, otherwise the next one with whatever parts of it are unchanged
 * taken from the previous: so that `===` means "nothing changed", at every level. For plain values and dates.
 */
export function share<T>(previous: unknown, next: T): T {
  if (Object.is(previous, next) || !isObject(previous) || !isObject(next)) return next
  // The casts: a value that is equal in every part is as good as the next one, whatever its declared type.
  if (next instanceof Date) {
    return previous instanceof Date && previous.getTime() === next.getTime() ? (previous as T) : next
  }
  if (Array.isArray(next)) {
    if (!Array.isArray(previous)) return next
    const shared = next.map((item, i) => share(previous[i], item))
    return isSameList(previous, shared) ? (previous as T) : (shared as T)
  }
  if (Array.isArray(previous)) return next
  const keys = Object.keys(next)
  const own = (key: string) => (Object.hasOwn(previous, key) ? previous[key] : undefined)
  const shared = Object.fromEntries(keys.map((key) => [key, share(own(key), next[key])]))
  const isSame =
    keys.length === Object.keys(previous).length &&
    keys.every((key) => Object.hasOwn(previous, key) && Object.is(shared[key], previous[key]))
  return (isSame ? previous : shared) as T
}

/** The same for a list whose items are told apart by id, wherever in the list they were. */
export function shareItems<T extends { readonly id: string }>(
  previous: readonly T[],
  next: readonly T[],
): readonly T[] {
  const old = new Map(previous.map((item) => [item.id, item]))
  const shared = next.map((item) => share(old.get(item.id), item))
  return isSameList(previous, shared) ? previous : shared
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => Object.is(item, b[i]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

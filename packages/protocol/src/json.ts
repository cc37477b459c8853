/** What JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * Whether a decoded value nests deeper than `maxDepth`. Walks no deeper than that, so hostile input costs no more
 * than polite input.
 */
export function isTooDeep(value: unknown, maxDepth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (maxDepth === 0) return true
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (isTooDeep(member, maxDepth - 1)) return true
  }
  return false
}

/** Length of a text in UTF-8 bytes, without encoding it. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    if (code < 0x800) bytes += 1
    else if (code >= 0xd800 && code <= 0xdbff) {
      bytes += 2
      i++
    } else bytes += 2
  }
  return bytes
}

/** Same JSON value, whatever the order of members. */
export function sameJson(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) => Object.hasOwn(b, key) && sameJson((a as Record<string, Json>)[key]!, (b as Record<string, Json>)[key]!),
    )
  )
}

/** A JSON object as it came: nothing is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Deeper values break `structuredClone` and `JSON.stringify` later on; nothing of ours needs more. */
export const MAX_JSON_DEPTH = 32

/**
 * Reads UTF-8 JSON whose top is an object, or answers undefined. Malformed UTF-8, a byte order mark, too deep nesting
 * and members named twice are refused: with duplicates, two readers may see two different tokens.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && hasUniqueMembers(text) ? value : undefined
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member itself, never one inherited from a prototype. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g

/**
 * Whether no object in this text names a member twice, and none is nested too deep. The text is known to be valid
 * JSON, so only strings and brackets matter: a string that follows `{`, or `,` inside an object, is a name.
 */
export function hasUniqueMembers(validJson: string): boolean {
  const open: (Set<string> | undefined)[] = []
  let nameComes = false
  for (const [token] of validJson.matchAll(TOKENS)) {
    const names = open.at(-1)
    if (token === '{' || token === '[') {
      if (open.push(token === '{' ? new Set() : undefined) > MAX_JSON_DEPTH) return false
      nameComes = token === '{'
    } else if (token === '}' || token === ']') {
      open.pop()
      nameComes = false
    } else if (token === ',') {
      nameComes = names !== undefined
    } else if (nameComes && names) {
      // Compared decoded: "\u0061lg" names the same member as "alg".
      const name = String(JSON.parse(token))
      if (names.has(name)) return false
      names.add(name)
      nameComes = false
    }
  }
  return true
}

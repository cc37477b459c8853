/** A JSON object as it came: nothing is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Deeper values break `structuredClone` and `JSON.stringify` later on; nothing of ours needs more. */
export const MAX_JSON_DEPTH = 32

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads UTF-8 JSON whose top is an object, or answers undefined. Malformed UTF-8, a byte order mark, too deep nesting
 * and members named twice are refused: with duplicates, two readers may see two different tokens.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = UTF8.decode(bytes)
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && hasUniqueMembers(text, value) ? value : undefined
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

/**
 * Whether no object in this text names a member twice, and none is nested too deep. The text is known to be valid JSON and
 * to mean this value: of members with the same name, however it is written, the value has only one, so that it has as
 * many as the text names or fewer.
 */
export function hasUniqueMembers(validJson: string, value: unknown = JSON.parse(validJson)): boolean {
  return namesIn(validJson) === membersOf(value, 1)
}

/** How many members a text names: strings with a colon after them. */
function namesIn(validJson: string): number {
  let names = 0
  for (let start = validJson.indexOf('"'); start >= 0; ) {
    let end = validJson.indexOf('"', start + 1)
    while (isEscaped(validJson, end)) end = validJson.indexOf('"', end + 1)
    let after = end + 1
    while (SPACE.includes(validJson[after] ?? '.')) after++
    if (validJson[after] === ':') names++
    start = validJson.indexOf('"', after)
  }
  return names
}

const SPACE = ' \t\n\r'

/** Whether the quote at this place belongs to the string: an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** How many members all objects in a value have together; none that a text could name if it is nested too deep. */
function membersOf(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depth > MAX_JSON_DEPTH) return Number.NaN
  const values = Object.values(value)
  let members = Array.isArray(value) ? 0 : values.length
  for (const one of values) members += membersOf(one, depth + 1)
  return members
}

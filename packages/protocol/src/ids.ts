/**
 * Identifiers as they look on the wire, and the one way to read and write each of them.
 *
 * Everything a client names is a URI: `layer:///conversations/<uuid>`. The server stores the bare UUID or user id and
 * converts at its edge. Readers accept both the URI and the bare form; writers produce the URI only.
 */

/** A lower-case, hyphenated RFC 4122 UUID of any version. */
export type Uuid = string & { readonly __brand: 'Uuid' }
/** `layer:///conversations/<uuid>` */
export type ConversationId = string & { readonly __brand: 'ConversationId' }
/** `layer:///messages/<uuid>` */
export type MessageId = string & { readonly __brand: 'MessageId' }
/** `layer:///identities/<encoded user id>` */
export type IdentityId = string & { readonly __brand: 'IdentityId' }
/** The app's own name for a person, any well-formed string of 1 to 128 characters. */
export type UserId = string & { readonly __brand: 'UserId' }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Reads a UUID in any letter case, or answers undefined. */
export function parseUuid(text: string): Uuid | undefined {
  if (text.length !== 36) return undefined
  const lower = text.toLowerCase()
  return UUID.test(lower) ? (lower as Uuid) : undefined
}

function parsePrefixedUuid(prefix: string, text: string): Uuid | undefined {
  return parseUuid(text.startsWith(prefix) ? text.slice(prefix.length) : text)
}

const CONVERSATIONS = 'layer:///conversations/'
const MESSAGES = 'layer:///messages/'
const IDENTITIES = 'layer:///identities/'

export const conversationId = (uuid: Uuid): ConversationId => (CONVERSATIONS + uuid) as ConversationId
export const messageId = (uuid: Uuid): MessageId => (MESSAGES + uuid) as MessageId
export const identityId = (userId: UserId): IdentityId => (IDENTITIES + encodeUserId(userId)) as IdentityId

/** Reads `layer:///conversations/<uuid>` or a bare UUID. */
export const parseConversationId = (text: string): Uuid | undefined => parsePrefixedUuid(CONVERSATIONS, text)
/** Reads `layer:///messages/<uuid>` or a bare UUID. */
export const parseMessageId = (text: string): Uuid | undefined => parsePrefixedUuid(MESSAGES, text)

/** Longest user id, in UTF-16 code units. */
export const MAX_USER_ID_LENGTH = 128

/** A user id is any well-formed text of 1 to 128 code units without U+0000. */
export function isUserId(text: string): text is UserId {
  return text.length > 0 && text.length <= MAX_USER_ID_LENGTH && isStorableText(text)
}

/**
 * Reads `layer:///identities/<encoded>` or, with `allowBare`, a plain user id.
 * Either spelling of `! ~ ' ( )` is understood: the text is decoded, and {@link identityId} writes it canonically.
 */
export function parseIdentityId(text: string, options: { allowBare?: boolean } = {}): UserId | undefined {
  if (!text.startsWith(IDENTITIES)) return options.allowBare && isUserId(text) ? text : undefined
  return decodeUserId(text.slice(IDENTITIES.length))
}

/**
 * Percent-encodes a user id exactly as Layer's clients do: `encodeURIComponent`, and also `! ~ ' ( )`.
 * A different alphabet would make one person two in the client's cache.
 */
export function encodeUserId(userId: UserId): string {
  return encodeURIComponent(userId).replace(/[!~'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The reverse of {@link encodeUserId}; undefined for malformed escapes or a user id that is not allowed. */
export function decodeUserId(encoded: string): UserId | undefined {
  try {
    const decoded = decodeURIComponent(encoded)
    return isUserId(decoded) ? decoded : undefined
  } catch {
    return undefined
  }
}

/**
 * Text that every store keeps unchanged: no U+0000 (PostgreSQL refuses it, SQLite may cut there) and no lone
 * surrogate (it would become U+FFFD on the way, and the sender's copy would differ from everyone else's).
 */
export function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && isWellFormed(text)
}

const isWellFormed = (text: string): boolean => (text as WellFormedText).isWellFormed?.() ?? !LONE_SURROGATE.test(text)

/** What engines from 2023 on can tell at once, and older ones by looking at each character. */
interface WellFormedText {
  isWellFormed?(): boolean
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/** Each byte as text. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A version 7 UUID. Time and chance are arguments, so that a test can repeat them. Ids made in the same millisecond
 * are not ordered among each other; nothing relies on it.
 * @param nowMs Unix time in milliseconds, 48 bits
 * @param random ten random bytes
 */
export function uuidv7(nowMs: number, random: Uint8Array): Uuid {
  const time = Math.max(0, Math.floor(nowMs)).toString(16).padStart(12, '0').slice(-12)
  let tail = ''
  for (let i = 0; i < 10; i++) tail += HEX[random[i] ?? 0]
  const variant = ((parseInt(tail[3]!, 16) & 0x3) | 0x8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-${variant}${tail.slice(4, 7)}-${tail.slice(7, 19)}` as Uuid
}

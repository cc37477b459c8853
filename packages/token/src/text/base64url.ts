const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ONLY_ALPHABET = /^[A-Za-z0-9_-]*$/

/**
 * Decodes base64url that is written the one canonical way: no padding, no other alphabet, and no bits set beyond the
 * last byte. Anything looser would let one token be written in several ways.
 */
export function decodeCanonicalBase64url(text: string): Uint8Array | undefined {
  if (!ONLY_ALPHABET.test(text) || hasStrayBits(text)) return undefined
  const { buffer, byteOffset, byteLength } = Buffer.from(text, 'base64url')
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** Four characters carry three bytes; what the last group carries beyond whole bytes has to be zero. */
function hasStrayBits(text: string): boolean {
  const last = ALPHABET.indexOf(text.at(-1) ?? 'A')
  switch (text.length % 4) {
    case 1:
      return true
    case 2:
      return (last & 0b1111) !== 0
    case 3:
      return (last & 0b11) !== 0
    default:
      return false
  }
}

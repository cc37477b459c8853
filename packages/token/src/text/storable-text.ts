const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/** Text every database keeps unchanged: no U+0000, no lone surrogate. */
export function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && !LONE_SURROGATE.test(text)
}

/** Longest user id, in UTF-16 code units: what the server stores. */
export const MAX_USER_ID_LENGTH = 128

export function isUserId(text: string): boolean {
  return text.length > 0 && text.length <= MAX_USER_ID_LENGTH && isStorableText(text)
}

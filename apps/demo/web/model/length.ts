const encoder = new TextEncoder()

/** Inline text of one message, UTF-8 encoded. */
export const MAX_TEXT_BYTES = 2048
const NEAR = MAX_TEXT_BYTES * 0.8

export interface TextRoom {
  readonly leftBytes: number
  readonly isNear: boolean
  readonly isOver: boolean
}

/** How much room is left in a message. */
export function textRoom(text: string): TextRoom {
  const bytes = encoder.encode(text).length
  return { leftBytes: MAX_TEXT_BYTES - bytes, isNear: bytes > NEAR, isOver: bytes > MAX_TEXT_BYTES }
}

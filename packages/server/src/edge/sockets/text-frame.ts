/** Most bytes of a frame's header. */
const MAX_HEADER_BYTES = 10

/** Room that a text takes as a frame, at most. */
export const maxFrameBytes = (text: string): number => MAX_HEADER_BYTES + 3 * text.length

/** One unmasked, final text frame of RFC 6455, header and payload in one buffer. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(headerBytes(length) + length)
  frame.write(text, writeHeader(frame, 0, length), 'utf8')
  return frame
}

/** A text most of which is in UTF-8 already: items with commas between them, between a beginning and an end. */
export interface ListText {
  readonly head: string
  readonly items: readonly Uint8Array[]
  readonly tail: string
}

/**
 * The frame of such a text.
 * @param room where it is written if it fits
 */
export function listFrame({ head, items, tail }: ListText, room?: Buffer): Buffer {
  let length = Math.max(0, items.length - 1) + Buffer.byteLength(head) + Buffer.byteLength(tail)
  for (const item of items) length += item.length
  const bytes = headerBytes(length) + length
  const frame = room && bytes <= room.length ? room.subarray(0, bytes) : Buffer.allocUnsafe(bytes)
  let at = writeHeader(frame, 0, length)
  at += frame.write(head, at)
  for (const [index, item] of items.entries()) {
    if (index > 0) frame[at++] = COMMA
    frame.set(item, at)
    at += item.length
  }
  frame.write(tail, at)
  return frame
}

const COMMA = 0x2c

/** The text in one whole frame of ours. */
export function textOf(frame: Buffer): string {
  const short = frame[1]!
  return frame.toString('utf8', short < 126 ? 2 : short === 126 ? 4 : 10)
}

/**
 * Writes the frame of a text into a buffer with room for it ({@link maxFrameBytes}).
 * @returns where it ends
 */
export function writeTextFrame(into: Buffer, at: number, text: string): number {
  // Where the bytes of the text begin depends on how many they are, which characters tell nearly always.
  const { length } = text
  const bytes = headerBytes(length) === headerBytes(3 * length) ? undefined : Buffer.byteLength(text)
  const start = at + headerBytes(bytes ?? length)
  const written = into.write(text, start, 'utf8')
  writeHeader(into, at, written)
  return start + written
}

const headerBytes = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

/** @returns where the payload begins */
function writeHeader(into: Buffer, at: number, length: number): number {
  into[at] = 0x81
  if (length < 126) {
    into[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    into[at + 1] = 126
    into.writeUInt16BE(length, at + 2)
    return at + 4
  }
  into[at + 1] = 127
  into.writeBigUInt64BE(BigInt(length), at + 2)
  return at + 10
}

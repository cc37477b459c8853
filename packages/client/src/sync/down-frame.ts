import type { DownFrame } from '@parley/protocol'
import { readObject } from '../read-object.ts'

/**
 * Reads what the server said. Answers undefined for text that is no frame: the line is damaged, nothing of it is
 * believed. The server is trusted beyond its shape, so only what the engine computes with is looked at.
 */
export function readDownFrame(text: string | undefined): DownFrame | 'unknown' | undefined {
  const frame = text === undefined ? undefined : readObject(text)
  if (typeof frame?.type !== 'string') return undefined
  // A newer server may say things we don't know; they are not for us.
  if (!Object.hasOwn(shapes, frame.type)) return 'unknown'
  const isWellFormed = shapes[frame.type as DownFrame['type']](frame)
  // Checked above as far as we rely on it.
  return isWellFormed ? (frame as unknown as DownFrame) : undefined
}

type Shape = (frame: Record<string, unknown>) => boolean

const isText = (value: unknown) => typeof value === 'string'
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
/** Things that were numbered in a stream, and what else of each is text. */
const areNumbered = (things: unknown, name: 'type' | 'stream') =>
  Array.isArray(things) && things.every((thing) => isRecord(thing) && isText(thing[name]) && isCount(thing.sequence))
const isRows = (rows: unknown) => areNumbered(rows, 'type')

const shapes: { readonly [Type in DownFrame['type']]: Shape } = {
  nonce: (f) => isText(f.nonce),
  welcome: (f) => isRecord(f.identity) && isRecord(f.session) && isText(f.epoch) && isText(f.server_time),
  heads: (f) => areNumbered(f.streams, 'stream') && (f.cursor === null || isText(f.cursor)),
  change: (f) => isText(f.stream) && isCount(f.after) && isCount(f.sequence) && isText(f.cursor) && isRows(f.rows),
  rows: (f) => isCount(f.id) && isText(f.stream) && isCount(f.after) && isCount(f.sequence) && isRows(f.rows),
  acknowledgement: (f) =>
    isText(f.id) &&
    (isRecord(f.refusal) ? isText(f.refusal.id) : isRecord(f.result) && isText(f.stream) && isCount(f.sequence)),
  refusal: (f) => isRecord(f.error) && (f.id === undefined || isCount(f.id)),
  typing: (f) => isText(f.conversation) && isRecord(f.sender) && isText(f.action),
  challenge: (f) => isText(f.nonce) && isText(f.expires_at),
  renewed: (f) => isRecord(f.session),
  move: (f) => isCount(f.after_ms),
  goodbye: (f) => isText(f.reason) && (f.retry_after_ms === undefined || isCount(f.retry_after_ms)),
  pong: () => true,
}

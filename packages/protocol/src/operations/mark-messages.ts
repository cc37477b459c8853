import * as v from 'valibot'
import * as s from './schemas.ts'

/** What a receipt says; a mark is never taken back. */
export const receiptType = v.picklist(['delivery', 'read'])

/**
 * Marks messages as delivered or read by the caller: all up to a position, or just the one at it.
 * Read implies delivered.
 */
export const markMessages = v.object({
  conversation: s.conversation,
  receipt: receiptType,
  position: s.position,
  /** Only the message at `position`; otherwise everything up to it. */
  only: v.optional(v.boolean(), false),
})

export type MarkMessages = v.InferOutput<typeof markMessages>
export type MarkMessagesInput = v.InferInput<typeof markMessages>

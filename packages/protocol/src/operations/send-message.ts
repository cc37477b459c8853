import * as v from 'valibot'
import { isStorableText } from '../ids.ts'
import { limits } from '../limits.ts'
import { partBytes } from '../part.ts'
import * as s from './schemas.ts'

const MIME_TYPE = /^[A-Za-z0-9!#$&^_.+*-]+\/[A-Za-z0-9!#$&^_.+*-]+(\s*;.*)?$/s
/** Whether a text can be the type of a part. */
export const isMimeType = (text: string): boolean =>
  text === 'text/plain' || (text.length <= limits.maxMimeTypeLength && MIME_TYPE.test(text) && isStorableText(text))

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const part = v.pipe(
  v.object({
    mime_type: v.pipe(
      v.string(),
      v.maxLength(limits.maxMimeTypeLength),
      v.regex(MIME_TYPE, 'A MIME type looks like text/plain.'),
      v.check(isStorableText, 'Text may hold neither U+0000 nor lone surrogates.'),
    ),
    body: s.text,
    encoding: v.nullish(v.literal('base64')),
  }),
  v.check((value) => value.encoding !== 'base64' || BASE64.test(value.body), 'The body is not valid base64.'),
  v.transform(({ mime_type, body, encoding }) => (encoding ? { mime_type, body, encoding } : { mime_type, body })),
  v.check(
    (value) => partBytes(value) <= limits.maxInlinePartBytes,
    `A part holds at most ${limits.maxInlinePartBytes} bytes inline; send more as rich content.`,
  ),
)

/** Appends a message to a conversation. */
export const sendMessage = v.object({
  /** Chosen by the sender; repeating it repeats the first outcome. */
  id: s.message,
  conversation: s.conversation,
  parts: s.list(part, limits.maxParts, 1),
  /** Instructions for push services; not part of the message. */
  notification: v.optional(v.unknown()),
})

export type SendMessage = v.InferOutput<typeof sendMessage>
export type SendMessageInput = v.InferInput<typeof sendMessage>

export interface SendMessageResult {
  readonly position: number
  /** The server's clock. */
  readonly sent_at: string
}

/**
 * The shortest cut, for the frame that there are most of: a message of one plain text, written as our own clients and
 * `JSON.stringify` write it. Where everything else is where it is expected, only ids and text have to be looked at, and
 * what travelled as JSON can be stored and passed on as it is. It gives up on everything else, as `common-operation.ts` does.
 */
import { isStorableText, parseUuid, type Uuid } from '../ids.ts'
import { limits } from '../limits.ts'
import type { SendMessage } from '../operations/send-message.ts'
import { partBytes } from '../part.ts'

/** A message to be sent, with its parts in JSON where they were there already. */
export interface WrittenMessage extends SendMessage {
  /** As `JSON.stringify` writes `parts`. */
  readonly partsText?: string
}

const UUID_LENGTH = 36
const TO_ID = '{"type":"operation","id":"'
const TO_MESSAGE = '","name":"send-message","input":{"id":"layer:///messages/'
const TO_CONVERSATION = '","conversation":"layer:///conversations/'
const TO_PARTS = '","parts":'
const TO_BODY = '[{"mime_type":"text/plain","body":"'
const PARTS_END = '"}]'
const END = '}}'
const TO_AFTER = '},"after":"'
const AFTER_END = '"}'

const ID_AT = TO_ID.length
const NAME_AT = ID_AT + UUID_LENGTH
const MESSAGE_AT = NAME_AT + TO_MESSAGE.length
const CONVERSATION_AT = MESSAGE_AT + UUID_LENGTH + TO_CONVERSATION.length
const PARTS_AT = CONVERSATION_AT + UUID_LENGTH + TO_PARTS.length
const BODY_AT = PARTS_AT + TO_BODY.length

/** Characters that are not too many bytes, whatever they are: in UTF-8 none of a text's units takes more than three. */
const SURELY_INLINE = limits.maxInlinePartBytes / 3

/** What JSON writes in another way than it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const ESCAPED = /[\\\u0000-\u001f]/

/** Reads the text of a frame; undefined if it is anything but a plain message. */
export function readPlainMessage(
  text: string,
): { readonly id: Uuid; readonly after: Uuid | undefined; readonly input: WrittenMessage } | undefined {
  if (!text.startsWith(TO_ID) || !text.startsWith(TO_MESSAGE, NAME_AT)) return undefined
  if (!text.startsWith(TO_CONVERSATION, MESSAGE_AT + UUID_LENGTH)) return undefined
  if (!text.startsWith(TO_PARTS, CONVERSATION_AT + UUID_LENGTH) || !text.startsWith(TO_BODY, PARTS_AT)) return undefined
  const bodyEnd = text.indexOf('"', BODY_AT)
  if (!text.startsWith(PARTS_END, bodyEnd)) return undefined
  const partsEnd = bodyEnd + PARTS_END.length
  const after = afterIn(text, partsEnd)
  if (after === false) return undefined
  const id = parseUuid(text.slice(ID_AT, NAME_AT))
  if (id === undefined || !text.startsWith(id, MESSAGE_AT)) return undefined
  const conversation = parseUuid(text.slice(CONVERSATION_AT, CONVERSATION_AT + UUID_LENGTH))
  const body = text.slice(BODY_AT, bodyEnd)
  if (conversation === undefined || ESCAPED.test(body) || !isStorableText(body)) return undefined
  if (body.length > SURELY_INLINE && partBytes({ body }) > limits.maxInlinePartBytes) return undefined
  const parts = [{ mime_type: 'text/plain', body }]
  return { id, after, input: { id, conversation, parts, partsText: text.slice(PARTS_AT, partsEnd) } }
}

/** What the message is to follow, if anything; false if what comes after its parts is not the end of a frame. */
function afterIn(text: string, at: number): Uuid | undefined | false {
  if (text.length === at + END.length && text.endsWith(END)) return undefined
  const afterAt = at + TO_AFTER.length
  const isAfter = text.length === afterAt + UUID_LENGTH + AFTER_END.length && text.startsWith(TO_AFTER, at)
  if (!isAfter || !text.endsWith(AFTER_END)) return false
  return parseUuid(text.slice(afterAt, afterAt + UUID_LENGTH)) ?? false
}

/**
 * The shortest cut, for the frame that there are most of: a message of one plain text, written as our own clients and
 * `JSON.stringify` write it. Where everything else is where it is expected, only ids and text have to be looked at, and
 * what travelled as JSON can be stored and passed on as it is. It gives up on everything else, as `common-operation.ts` does.
 */
import { isStorableText, type Uuid } from '../ids.ts'
import { limits } from '../limits.ts'
import type { SendMessage } from '../operations/send-message.ts'
import { partBytes } from '../part.ts'

/** A message to be sent, with its parts in JSON where they were there already. */
export interface WrittenMessage extends SendMessage {
  /** As `JSON.stringify` writes `parts`. */
  readonly partsText?: string
}

/** Characters that are not too many bytes, whatever they are: in UTF-8 none of a text's units takes more than three. */
const SURELY_INLINE = limits.maxInlinePartBytes / 3

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/**
 * The whole frame: a message has the id of its frame, and in its body is nothing that JSON writes in another way than it is.
 * One look for all of it costs half of what one for each piece does.
 */
const FRAME = new RegExp(
  String.raw`^\{"type":"operation","id":"(${UUID})","name":"send-message","input":\{` +
    String.raw`"id":"layer:///messages/\1","conversation":"layer:///conversations/(${UUID})",` +
    String.raw`"parts":(\[\{"mime_type":"text/plain","body":"([^"\\\u0000-\u001f]*)"\}\])\}(?:,"after":"(${UUID})")?\}$`,
)

/** Reads the text of a frame; undefined if it is anything but a plain message. */
export function readPlainMessage(
  text: string,
): { readonly id: Uuid; readonly after: Uuid | undefined; readonly input: WrittenMessage } | undefined {
  const found = FRAME.exec(text) as unknown as Found | null
  if (found === null) return undefined
  const [, id, conversation, partsText, body, after] = found
  if (!isStorableText(body)) return undefined
  if (body.length > SURELY_INLINE && partBytes({ body }) > limits.maxInlinePartBytes) return undefined
  return { id, after, input: { id, conversation, parts: [{ mime_type: 'text/plain', body }], partsText } }
}

/** What is in the brackets of {@link FRAME}. */
type Found = readonly [
  frame: string,
  id: Uuid,
  conversation: Uuid,
  partsText: string,
  body: string,
  after: Uuid | undefined,
]

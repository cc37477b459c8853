/** Checks of the near half: what the server would refuse anyway is refused before anything is stored. */
import {
  type ConversationId,
  clientLimits,
  conversationId,
  type IdentityId,
  identityId,
  isStorableText,
  type MessageId,
  messageId,
  type OperationInputs,
  type OperationName,
  type Part,
  parseConversationId,
  parseIdentityId,
  parseMessageId,
  partBytes,
  type Uuid,
  utf8Length,
} from '@parley/protocol'
import { ParleyError } from '../errors.ts'
import type { Draft } from '../outbox/drafting.ts'

/** Makes ids for what is created: time and chance come from the client. */
export type NewUuid = () => Uuid

export const invalid = (message: string) => new ParleyError('invalid', message)

export function readConversationId(text: string): ConversationId {
  const uuid = parseConversationId(text)
  if (!uuid) throw invalid(`'${text}' is no conversation id.`)
  return conversationId(uuid)
}

export function readMessageId(text: string): MessageId {
  const uuid = parseMessageId(text)
  if (!uuid) throw invalid(`'${text}' is no message id.`)
  return messageId(uuid)
}

/** Reads an identity id or a plain user id. */
export function readIdentityId(text: string): IdentityId {
  const userId = parseIdentityId(text, { allowBare: true })
  if (!userId) throw invalid(`'${text}' is no user id.`)
  return identityId(userId)
}

const MIME_TYPE = /^[^\s/]+\/[^\s/]+/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function checkParts(parts: readonly Part[]): void {
  if (parts.length === 0) throw invalid('A message has at least one part.')
  if (parts.length > clientLimits.maxParts) throw invalid(`A message has at most ${clientLimits.maxParts} parts.`)
  for (const part of parts) checkPart(part)
}

function checkPart(part: Part): void {
  const { mime_type, body, encoding } = part
  if (!MIME_TYPE.test(mime_type) || mime_type.length > clientLimits.maxMimeTypeLength) {
    throw invalid('A MIME type looks like text/plain.')
  }
  if (!isStorableText(body) || !isStorableText(mime_type)) {
    throw invalid('Text may hold neither U+0000 nor lone surrogates.')
  }
  if (encoding === 'base64' && !BASE64.test(body)) throw invalid('The body is not valid base64.')
  if (partBytes(part) > clientLimits.maxInlinePartBytes) {
    throw new ParleyError('too_large', `A part holds at most ${clientLimits.maxInlinePartBytes} bytes.`)
  }
}

/** What a frame adds around an operation's input. */
const FRAME_OVERHEAD_BYTES = 256

/** The operation as it will lie in the outbox; refused if it could never travel. */
export function draft<Name extends OperationName>(
  name: Name,
  id: string,
  conversation: ConversationId,
  input: OperationInputs[Name],
): Draft<Name> {
  if (utf8Length(JSON.stringify(input)) > clientLimits.maxFrameBytes - FRAME_OVERHEAD_BYTES) {
    throw new ParleyError('too_large', `An operation holds at most ${clientLimits.maxFrameBytes} bytes.`)
  }
  return { id, name, conversation, input }
}

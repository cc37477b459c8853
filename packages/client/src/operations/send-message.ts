import { type ConversationId, type MessageId, messageId, type Part } from '@parley/protocol'
import type { Draft } from '../outbox/drafting.ts'
import { checkParts, draft, type NewUuid } from './check.ts'

export interface SendMessageOptions {
  /** Instructions for push services; not part of the message. */
  readonly notification?: unknown
  readonly signal?: AbortSignal
}

export function sendMessage(
  conversation: ConversationId,
  parts: readonly Part[],
  { notification }: SendMessageOptions,
  newUuid: NewUuid,
): { readonly id: MessageId; readonly draft: Draft<'send-message'> } {
  checkParts(parts)
  const uuid = newUuid()
  const id = messageId(uuid)
  const input = { id, conversation, parts: parts.map(copyOf), ...(notification !== undefined && { notification }) }
  return { id, draft: draft('send-message', uuid, conversation, input) }
}

const copyOf = ({ mime_type, body, encoding }: Part): Part =>
  encoding ? { mime_type, body, encoding } : { mime_type, body }

/**
 * A short cut for what connections carry all day: messages and receipts. It knows their exact shapes and nothing else,
 * and gives up on everything else, which then goes through the schemas; what it lets pass, they let pass with the same
 * outcome. A tenth of their cost, and the schemas remain the only place where anything is refused.
 */
import { isStorableText, parseConversationId, parseMessageId, parseUuid, type Uuid } from '../ids.ts'
import { limits } from '../limits.ts'
import type { MarkMessages } from '../operations/mark-messages.ts'
import { isMimeType, type SendMessage } from '../operations/send-message.ts'
import { partBytes } from '../part.ts'
import type { Part } from '../rows.ts'
import type { WrittenMessage } from './plain-message.ts'

/** An operation frame whose input was checked as well. */
export type CommonOperation = {
  readonly id: Uuid
  readonly after: Uuid | undefined
} & (
  | { readonly name: 'send-message'; readonly input: WrittenMessage }
  | { readonly name: 'mark-messages'; readonly input: MarkMessages }
)

/** Reads a decoded frame; undefined if it is none of the common ones, or not quite. */
export function readCommonOperation(value: unknown): CommonOperation | undefined {
  if (!isRecord(value) || value.type !== 'operation' || typeof value.id !== 'string') return undefined
  const hasAfter = 'after' in value
  if (countMembers(value) !== (hasAfter ? 5 : 4) || !isRecord(value.input)) return undefined
  const id = parseUuid(value.id)
  const after = typeof value.after === 'string' ? parseUuid(value.after) : undefined
  if (id === undefined || (hasAfter && after === undefined)) return undefined
  if (value.name === 'send-message') {
    const input = readSendMessage(value.input)
    return input && { name: 'send-message', id, after, input }
  }
  if (value.name === 'mark-messages') {
    const input = readMarkMessages(value.input)
    return input && { name: 'mark-messages', id, after, input }
  }
  return undefined
}

function readSendMessage(value: Members): SendMessage | undefined {
  if (countMembers(value) !== 3 || typeof value.id !== 'string' || typeof value.conversation !== 'string') {
    return undefined
  }
  const id = parseMessageId(value.id)
  const conversation = parseConversationId(value.conversation)
  const parts = readParts(value.parts)
  return id && conversation && parts && { id, conversation, parts }
}

function readParts(value: unknown): Part[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > limits.maxParts) return undefined
  const parts: Part[] = []
  for (const member of value) {
    const part = readPart(member)
    if (!part) return undefined
    parts.push(part)
  }
  return parts
}

function readPart(value: unknown): Part | undefined {
  if (!isRecord(value) || countMembers(value) !== 2) return undefined
  const { mime_type, body } = value
  if (typeof mime_type !== 'string' || typeof body !== 'string') return undefined
  const isGood = isMimeType(mime_type) && isStorableText(body) && partBytes({ body }) <= limits.maxInlinePartBytes
  return isGood ? { mime_type, body } : undefined
}

function readMarkMessages(value: Members): MarkMessages | undefined {
  const hasOnly = 'only' in value
  if (countMembers(value) !== (hasOnly ? 4 : 3) || typeof value.conversation !== 'string') return undefined
  const { receipt, position, only = false } = value
  const conversation = parseConversationId(value.conversation)
  if (!conversation || (receipt !== 'delivery' && receipt !== 'read') || typeof only !== 'boolean') return undefined
  if (!Number.isSafeInteger(position) || (position as number) < 1) return undefined
  return { conversation, receipt, position: position as number, only }
}

interface Members {
  readonly [name: string]: unknown
}

const isRecord = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function countMembers(value: Members): number {
  let count = 0
  for (const _name in value) count++
  return count
}

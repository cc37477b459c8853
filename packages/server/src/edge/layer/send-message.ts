import { randomBytes } from 'node:crypto'
import { parseMessageId, type Refusal, refuse, type Uuid, uuidv7 } from '@parley/protocol'
import type { Session } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import { readMessage } from './reads.ts'
import { members, submit } from './submit.ts'
import type { MessageView } from './views/message.ts'

/** Sends a message, for both doors. A repeat of an id is refused with the message that bears it. */
export async function sendMessage(
  edge: Edge,
  session: Session,
  conversation: Uuid,
  body: unknown,
): Promise<{ readonly message: MessageView } | { readonly refusal: Refusal }> {
  const asked = members(body)
  if ('refusal' in asked) return asked
  const { id = uuidv7(edge.clock.now(), randomBytes(10)), parts, notification } = asked.members
  if (Array.isArray(parts) && parts.some(isRichContent)) {
    return refuse('invalid_operation', { message: 'This server takes no rich content yet; send parts inline.' })
  }
  const outcome = await submit(edge, session, 'send-message', { id, conversation, parts, notification })
  if ('refusal' in outcome) return outcome
  const message = await readMessage(edge, session, parseMessageId(id as string)!)
  if (!message) return refuse('not_found', { message: 'The message is gone already.' })
  return outcome.hasChanged ? { message } : refuse('id_in_use', { data: { ...message } })
}

const isRichContent = (part: unknown): boolean =>
  typeof part === 'object' && part !== null && 'content' in part && part.content !== null

import { formatPath, identityId, type MarkMessages, messageId } from '@parley/protocol'
import { objectName, type Packet, type Packets, setProperty, updated } from '../packets.ts'
import type { MessageAt } from '../recent-messages.ts'
import { basicIdentityView } from '../views/identity.ts'
import { isInSight, statusOf } from '../views/message.ts'
import {
  type ConversationMove,
  conversationName,
  gained,
  NOTHING,
  ownSide,
  type Teller,
  type Telling,
} from './telling.ts'

/** Receipts told one by one for a mark that covers many messages: the newest, which are on screens. */
const MAX_TOLD = 100

type ParticipantRow = Extract<ConversationMove['rows'][number], { type: 'participant' }>

/** Everything up to a position read: one packet for all of it. Otherwise each message's new status by itself. */
export const tellMarkMessages: Teller = {
  async conversation(telling, move) {
    const own = ownSide(telling, move)
    const row = move.rows.find((one) => one.type === 'participant')
    if (!own || own.state === 'hidden' || !row) return NOTHING
    const read = gained(row.before?.read ?? [], row.record.read, MAX_TOLD)
    const input = telling.committed.input as MarkMessages
    const told =
      read.length > 0 && !input.only ? [allRead(telling, move, row)] : await eachStatus(telling, move, row, read)
    if (row.record.userId !== telling.viewer.userId || read.length === 0) return told
    const unread = await telling.desk.unread.after(telling.viewer, move, own)
    const name = conversationName(telling, move.conversation.id)
    return [...told, updated(name, [setProperty('unread_message_count', unread)])]
  },
  inbox: () => NOTHING,
}

function allRead(telling: Telling, move: ConversationMove, { record, profile }: ParticipantRow): Packet {
  return {
    type: 'operation',
    body: {
      method: 'Conversation.mark_all_read',
      object: conversationName(telling, move.conversation.id),
      data: {
        position: record.read[record.read.length - 1]!,
        identity: basicIdentityView(telling.desk.baseUrl, profile),
      },
    },
  }
}

async function eachStatus(
  telling: Telling,
  move: ConversationMove,
  row: ParticipantRow,
  read: readonly number[],
): Promise<Packets> {
  const delivered = gained(row.before?.delivered ?? [], row.record.delivered, MAX_TOLD)
  const positions = [...new Set([...read, ...delivered])].sort((a, b) => b - a).slice(0, MAX_TOLD)
  if (positions.length === 0) return NOTHING
  const own = ownSide(telling, move)!
  const messages = await telling.desk.messages.at(telling.viewer, move.conversation.id, positions)
  return messages
    .filter(({ position, sender }) => sender !== row.record.userId && isInSight(own, position))
    .map((message) => status(telling, message, row))
}

/** Dots in an identity's id are no steps of the path. */
function status({ desk }: Telling, message: MessageAt, { record }: ParticipantRow): Packet {
  return updated(objectName(desk.baseUrl, 'Message', messageId(message.id)), [
    setProperty(formatPath(['recipient_status', identityId(record.userId)]), statusOf(message, record)),
  ])
}

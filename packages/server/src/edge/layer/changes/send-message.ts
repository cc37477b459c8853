import { hasPosition, isUnread } from '@parley/protocol'
import type { Participant } from '../../../model/state.ts'
import { created, deleted, type Packet, type Packets, setProperty, updated } from '../packets.ts'
import { findConversation } from '../reads.ts'
import { conversationView, toSight } from '../views/conversation.ts'
import { isInSight, messageView } from '../views/message.ts'
import { type ConversationMove, conversationName, NOTHING, ownSide, type Teller, type Telling } from './telling.ts'

/** Messages come first, and only then which is the conversation's last: the SDK looks it up by its id. */
export const tellSendMessage: Teller = {
  conversation(telling, move) {
    const { desk, viewer } = telling
    const own = ownSide(telling, move)
    if (!own || own.state === 'hidden') return NOTHING
    const rows = move.rows
      .filter((row) => row.type === 'message')
      .filter(({ record }) => isInSight(own, record.position))
    const newest = rows[rows.length - 1]?.record
    if (!newest) return NOTHING
    const messages = rows.map((row) => messagePacket(telling, row, move, own))
    const last = { operation: 'set' as const, property: 'last_message', id: `layer:///messages/${newest.id}` }
    const name = conversationName(telling, move.conversation.id)
    if (newest.sender === viewer.userId) return [...messages, updated(name, [last])]
    const count = desk.unread.after(viewer, move, own)
    const all = (unread: number): Packets => [
      ...messages,
      updated(name, [last, setProperty('unread_message_count', unread)]),
    ]
    return typeof count === 'number' ? all(count) : count.then(all)
  },

  /** Back on devices it was deleted from: emptied of what was hidden, then whole again, before the message itself. */
  async inbox(telling, move) {
    const { desk, viewer } = telling
    const packets: Packet[] = []
    for (const { conversation, record } of move.rows) {
      const stored = await findConversation(desk.edge, viewer, conversation)
      if (!stored) continue
      const empty = { ...toSight(stored), lastMessage: null, unreadCount: 0, totalCount: 0 }
      const lastHidden = record.hidden[record.hidden.length - 1]
      if (lastHidden !== undefined) {
        const data = { mode: 'my_devices', from_position: lastHidden }
        packets.push(deleted(conversationName(telling, conversation), data))
      }
      packets.push(created('Conversation', conversationView(desk.baseUrl, empty)))
    }
    return packets
  },
}

type MessageRow = Extract<ConversationMove['rows'][number], { type: 'message' }>

/** The message's packet; the same object for all who see the same. */
function messagePacket({ desk }: Telling, row: MessageRow, move: ConversationMove, own: Participant): Packet {
  const { record: message, sender } = row
  if (!sender) throw new Error(`Message ${message.id} came without its sender.`)
  const isOwn = message.sender === own.userId
  const look = `${isOwn || hasPosition(own.delivered, message.position)} ${isUnread(own, { position: message.position, isOwn })}`
  const known = packets.get(row) ?? new Map<string, Packet>()
  packets.set(row, known)
  const packet =
    known.get(look) ??
    created(
      'Message',
      messageView(desk.baseUrl, {
        message,
        sender,
        viewer: own,
        participants: move.conversation.participants.values(),
      }),
    )
  known.set(look, packet)
  return packet
}

const packets = new WeakMap<object, Map<string, Packet>>()

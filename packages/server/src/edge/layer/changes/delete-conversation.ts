import { type DeleteConversation, identityId } from '@parley/protocol'
import { deleted, setProperty, updated } from '../packets.ts'
import { conversationName, NOTHING, ownSide, type Teller } from './telling.ts'

/** Deleted for all: told to all. From one's devices: to those. Left: besides, the others lose a participant. */
export const tellDeleteConversation: Teller = {
  conversation(telling, move) {
    const own = ownSide(telling, move)
    if (!own || own.state === 'hidden') return NOTHING
    const name = conversationName(telling, move.conversation.id)
    if ((telling.committed.input as DeleteConversation).mode === 'all_participants') {
      return [deleted(name, { mode: 'all_participants', from_position: null })]
    }
    const wasDistinct = move.rows.some((row) => row.type === 'conversation')
    const gone = move.rows.filter((row) => row.type === 'participant')
    return [
      updated(name, [
        ...gone.map(({ record }) => ({
          operation: 'remove' as const,
          property: 'participants',
          id: identityId(record.userId),
        })),
        ...(wasDistinct ? [setProperty('distinct', false)] : []),
      ]),
    ]
  },

  inbox: (telling, move) =>
    move.rows.map(({ conversation }) =>
      deleted(conversationName(telling, conversation), { mode: 'my_devices', from_position: null }),
    ),
}

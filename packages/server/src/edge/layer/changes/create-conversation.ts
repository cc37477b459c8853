import type { Profile } from '../../../model/state.ts'
import { created, type Packets } from '../packets.ts'
import { readConversation } from '../reads.ts'
import { conversationView } from '../views/conversation.ts'
import { identityView } from '../views/identity.ts'
import { NOTHING, ownSide, type Teller, type Telling } from './telling.ts'

/** Started: told with everybody in it. Found again after it was deleted from one's devices: told to those devices. */
export const tellCreateConversation: Teller = {
  conversation(telling, move) {
    const viewer = ownSide(telling, move)
    const record = move.rows.find((row) => row.type === 'conversation')?.record
    if (!viewer || !record) return NOTHING
    const participants = move.rows.filter((row) => row.type === 'participant')
    const sight = { record, viewer, participants, lastMessage: null, unreadCount: 0, totalCount: 0 }
    return [
      ...identities(
        telling,
        participants.map(({ profile }) => profile),
      ),
      created('Conversation', conversationView(telling.desk.baseUrl, sight)),
    ]
  },

  async inbox({ desk, viewer, committed }, move) {
    if (committed.moves.some(({ stream }) => stream === 'conversation')) return NOTHING
    const views = await Promise.all(
      move.rows.map(({ conversation }) => readConversation(desk.edge, viewer, conversation)),
    )
    return views.flatMap((view) => (view ? [created('Conversation', view)] : []))
  },
}

/**
 * Full identities of others. Told whenever people meet in a conversation: who knew them hears nothing new, who did not
 * follows them from now on.
 */
export function identities({ desk, viewer }: Telling, profiles: readonly Profile[]): Packets {
  return profiles
    .filter((profile) => profile.userId !== viewer.userId)
    .map((profile) => created('Identity', identityView(desk.baseUrl, profile)))
}

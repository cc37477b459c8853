import type { Change, ToldConversationMove } from '../../../delivery/change.ts'
import { ConversationState } from '../../../model/conversation-state.ts'
import type { LayerDesk } from '../desk.ts'
import type { Packets } from '../packets.ts'
import { tellAnnounceProfile } from './announce-profile.ts'
import { tellCreateConversation } from './create-conversation.ts'
import { tellDeleteConversation } from './delete-conversation.ts'
import { tellDeleteMessage } from './delete-message.ts'
import { tellFromStore } from './from-store.ts'
import { tellMarkMessages } from './mark-messages.ts'
import { tellSendMessage } from './send-message.ts'
import { type ConversationMove, NOTHING, type Teller, type Viewer } from './telling.ts'
import { tellUpdateConversation } from './update-conversation.ts'

/** How each operation is told to Layer's clients; operations that move no stream are in no need of it. */
const tellers: Readonly<Record<string, Teller>> = {
  'create-conversation': tellCreateConversation,
  'send-message': tellSendMessage,
  'mark-messages': tellMarkMessages,
  'update-conversation': tellUpdateConversation,
  'delete-conversation': tellDeleteConversation,
  'delete-message': tellDeleteMessage,
  'announce-profile': tellAnnounceProfile,
  // Signing in may change a profile, and shows it in the same commit.
  'open-session': tellAnnounceProfile,
}

/** The packets in which one viewer is told of a change. What they are made of is read off before this returns. */
export function tell(desk: LayerDesk, viewer: Viewer, change: Change): Packets | Promise<Packets> {
  const { committed, move } = change
  if (move.stream === 'conversation') desk.messages.note(viewer.app, move)
  if (!committed) return tellFromStore(desk, viewer, move)
  const teller = tellers[committed.operation]
  if (!teller) return NOTHING
  const telling = { desk, viewer, committed }
  if (move.stream === 'inbox') return teller.inbox(telling, move)
  if (isWhole(move)) return teller.conversation(telling, move)
  return desk.states.of(viewer.app, move).then((whole) => (whole ? teller.conversation(telling, whole) : NOTHING))
}

const isWhole = (move: ToldConversationMove): move is ConversationMove => move.conversation instanceof ConversationState

import { identityId, type PatchOperation, parsePath, type UpdateConversation } from '@parley/protocol'
import { isActive } from '../../../model/state.ts'
import { created, deleted, setProperty, updated } from '../packets.ts'
import { findConversation } from '../reads.ts'
import { conversationView, toSight } from '../views/conversation.ts'
import { basicIdentityView } from '../views/identity.ts'
import { identities } from './create-conversation.ts'
import { type ConversationMove, conversationName, NOTHING, ownSide, type Teller, type Telling } from './telling.ts'

/** Those who were in it get the patch; whoever came gets the whole; whoever went, that they see nobody any more. */
export const tellUpdateConversation: Teller = {
  async conversation(telling, move) {
    const { desk, viewer } = telling
    const { id } = move.conversation
    const own = ownSide(telling, move)
    if (!own || own.state === 'hidden') return NOTHING
    const came = comers(move)
    if (came.some(({ record }) => record.userId === viewer.userId)) {
      const stored = await findConversation(desk.edge, viewer, id)
      if (!stored) return NOTHING
      const others = stored.participants.filter(({ record }) => isActive(record)).map(({ profile }) => profile)
      const whole = conversationView(desk.baseUrl, toSight(stored))
      return [...identities(telling, others), created('Conversation', whole)]
    }
    const patch = patchFor(telling, move)
    const met = identities(
      telling,
      came.map(({ profile }) => profile),
    )
    return patch.length === 0 ? NOTHING : [...met, updated(conversationName(telling, id), patch)]
  },

  inbox(telling, move) {
    return move.rows.flatMap(({ conversation, record }) => {
      const name = conversationName(telling, conversation)
      if (record.state === 'removed') return [updated(name, [setProperty('participants', [])])]
      return record.state === 'left' ? [deleted(name, { mode: 'my_devices', from_position: null })] : []
    })
  },
}

const participantRows = (move: ConversationMove) => move.rows.filter((row) => row.type === 'participant')

const comers = (move: ConversationMove) =>
  participantRows(move).filter(({ record, before }) => isActive(record) && !(before && isActive(before)))

/** An added participant comes with their identity: the receiver may never have heard of them. */
function participantChanges({ desk }: Telling, move: ConversationMove): PatchOperation[] {
  const came = comers(move)
  return participantRows(move).flatMap((row): PatchOperation[] => {
    const id = identityId(row.record.userId)
    if (came.includes(row)) {
      return [{ operation: 'add', property: 'participants', id, value: basicIdentityView(desk.baseUrl, row.profile) }]
    }
    return isActive(row.record) ? [] : [{ operation: 'remove', property: 'participants', id }]
  })
}

function patchFor(telling: Telling, move: ConversationMove): PatchOperation[] {
  const people = participantChanges(telling, move)
  const record = move.rows.find((row) => row.type === 'conversation')?.record
  if (!record) return people
  const { patch } = telling.committed.input as UpdateConversation
  return [
    ...people,
    ...(people.length > 0 && record.distinctKey === null ? [setProperty('distinct', false)] : []),
    ...patch.filter(({ property }) => parsePath(property)[0] === 'metadata').map(plain),
  ]
}

const plain = ({ operation, property, value }: PatchOperation): PatchOperation =>
  value === undefined ? { operation, property } : { operation, property, value }

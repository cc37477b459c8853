/**
 * Nearly all that is said between nodes: somebody sent a message, and nothing else moved. So it has a text of its own,
 * half as long as the rows it stands for and put together without an encoder: whatever follows from the rest is left out.
 * It is a commit as any other, with a row of a kind of its own; a node that does not know the kind reads the store.
 */
import type { Uuid } from '@parley/protocol'
import { partsTextOf } from '../model/message-text.ts'
import { isAsSent } from '../model/state.ts'
import type { Members } from './guards.ts'
import { type Commit, type HintRow, MAX_NAMED_AUDIENCE, MAX_ROWS_BYTES } from './messages.ts'

/** What is said of a commit if it is no more than a message that was sent. */
export function sentText({ app, actor, operation, cursor, at, moves }: Commit): string | undefined {
  const [move] = moves
  if (operation !== 'send-message' || moves.length !== 1 || move?.stream !== 'conversation') return undefined
  const [row] = move.rows
  if (move.rows.length !== 1 || row?.type !== 'message' || move.audience.length > MAX_NAMED_AUDIENCE) return undefined
  const { record, sender } = row
  if (!isAsSent(record) || record.deletedAt !== null) return undefined
  const parts = partsTextOf(record)
  if (parts.length > MAX_ROWS_BYTES) return undefined
  const { after, sequence, conversation, audience } = move
  return (
    `{"type":"committed","app":${app},"actor":${JSON.stringify(actor)},"operation":"send-message","cursor":${cursor},` +
    `"at":${at},"moves":[{"stream":"conversation","id":"${conversation.id}","after":${after},"sequence":${sequence},` +
    `"audience":${JSON.stringify(audience)},"rows":[{"type":"sent","id":"${record.id}","position":${record.position},` +
    `"sender":${JSON.stringify(record.sender)},${nameText(sender)}"sentAt":${record.sentAt},"parts":${parts},` +
    `"sequence":${record.sequence},"changedAt":${record.changedAt}}]}]}`
  )
}

type SentRow = Extract<HintRow, { type: 'message' }>

function nameText(sender: SentRow['sender']): string {
  if (!sender) return ''
  const { displayName, avatarUrl } = sender
  if (displayName === null && avatarUrl === null) return '"name":null,"avatar":null,'
  return `"name":${JSON.stringify(displayName)},"avatar":${JSON.stringify(avatarUrl)},`
}

/**
 * The row that such a row stands for; undefined if it is of another kind. Nothing in it was looked at: it is as right, or
 * as wrong, as what came.
 * @param conversation the one that it lies in
 */
export function readSent(row: Members, conversation: Uuid): Members | undefined {
  if (row.type !== 'sent') return undefined
  const { id, position, sender, name, avatar, sentAt, parts, sequence, changedAt } = row
  return {
    type: 'message',
    record: {
      id,
      conversation,
      position,
      sender,
      sentAt,
      parts,
      deletedAt: null,
      sequence,
      firstSequence: sequence,
      changedAt,
    },
    sender: name === undefined ? undefined : { userId: sender, displayName: name, avatarUrl: avatar },
  }
}

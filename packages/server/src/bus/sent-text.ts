/**
 * Nearly all that is said between nodes: somebody sent messages, and nothing else moved. So it has a text of its own, put
 * together without an encoder: whatever follows from the rest, or is the same for all of them, is said once or left out.
 * It is a commit as any other, with a row of a kind of its own; a node that does not know the kind reads the store.
 */
import type { Uuid } from '@parley/protocol'
import { partsTextOf } from '../model/message-text.ts'
import { isCount, isParts, isPositive, isTextOrNull, isUser, isUuid, type Members } from './guards.ts'
import { type Commit, MAX_ROWS_BYTES } from './messages.ts'
import { MAX_RUN, type MessageRow, runOf } from './runs.ts'

/** What is said of a commit if it is no more than messages that were sent, one after the other by the same person. */
export function sentText(commit: Commit): string | undefined {
  const run = runOf(commit)
  if (!run) return undefined
  let ids = ''
  let parts = ''
  for (const { record } of run.rows) {
    const between = ids === '' ? '' : ','
    ids += `${between}"${record.id}"`
    parts += between + partsTextOf(record)
  }
  if (parts.length > MAX_ROWS_BYTES) return undefined
  const { app, actor, cursor, at } = commit
  const { conversation, after, sequence, audience, rows } = run
  const { record, sender } = rows[0]!
  return (
    `{"type":"committed","app":${app},"actor":${JSON.stringify(actor)},"operation":"send-message","cursor":${cursor},` +
    `"at":${at},"moves":[{"stream":"conversation","id":"${conversation.id}","after":${after},"sequence":${sequence},` +
    `"audience":${JSON.stringify(audience)},"rows":[{"type":"run","position":${record.position},` +
    `"sequence":${record.sequence},"sender":${JSON.stringify(record.sender)},${nameText(sender)}` +
    `"sentAt":${record.sentAt},"changedAt":${record.changedAt},"ids":[${ids}],"parts":[${parts}]}]}]}`
  )
}

function nameText(sender: MessageRow['sender']): string {
  if (!sender) return ''
  const { displayName, avatarUrl } = sender
  if (displayName === null && avatarUrl === null) return '"name":null,"avatar":null,'
  return `"name":${JSON.stringify(displayName)},"avatar":${JSON.stringify(avatarUrl)},`
}

/**
 * The messages that such a row stands for; null if any of it is not as it has to be.
 * @param conversation the one that they lie in
 */
export function readRun(row: Members, conversation: Uuid): MessageRow[] | null {
  const { position, sequence, sender, name, avatar, sentAt, changedAt, ids, parts } = row
  const isRun =
    isPositive(position) &&
    isPositive(sequence) &&
    isUser(sender) &&
    (name === undefined || (isTextOrNull(name) && isTextOrNull(avatar))) &&
    isCount(sentAt) &&
    isCount(changedAt) &&
    Array.isArray(ids) &&
    Array.isArray(parts) &&
    ids.length === parts.length &&
    ids.length > 0 &&
    ids.length <= MAX_RUN &&
    ids.every(isUuid) &&
    parts.every(isParts)
  if (!isRun) return null
  const profile =
    name === undefined ? undefined : { userId: sender, displayName: name, avatarUrl: avatar as string | null }
  return ids.map((id, index) => ({
    type: 'message',
    record: {
      id,
      conversation,
      position: position + index,
      sender,
      sentAt,
      parts: parts[index]!,
      deletedAt: null,
      sequence: sequence + index,
      firstSequence: sequence + index,
      changedAt,
    },
    sender: profile,
  }))
}

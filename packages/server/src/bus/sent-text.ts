/**
 * Nearly all that is said between nodes: somebody sent messages, and nothing else moved. So it has a text of its own, put
 * together without an encoder: whatever follows from the rest, or is the same for all of them, is said once or left out.
 * It is a commit as any other, with a row of a kind of its own; a node that does not know the kind reads the store.
 */
import type { Uuid } from '@parley/protocol'
import { partsTextOf } from '../model/message-text.ts'
import { MAX_RUN, type MessageRow, runOf } from '../model/runs.ts'
import { isCount, isPositive, isTextOrNull, isUser, isUuid, type Members } from './guards.ts'
import { HeardMessage } from './heard-message.ts'
import { type Commit, MAX_ROWS_BYTES } from './messages.ts'
import type { Body, Words } from './words.ts'

/** What is said of a commit if it is no more than messages that were sent, one after the other by the same person. */
export function sentWords(commit: Commit): Words | undefined {
  const run = runOf(commit)
  if (!run) return undefined
  const body = run.rows.map(({ record }) => partsTextOf(record))
  const lengths = body.map(({ length }) => length)
  const characters = lengths.reduce((sum, length) => sum + length)
  if (characters > MAX_ROWS_BYTES) return undefined
  const { app, actor, cursor, at } = commit
  const { conversation, after, sequence, audience, rows } = run
  const { record, sender } = rows[0]!
  const head =
    `{"type":"committed","app":${app},"actor":${JSON.stringify(actor)},"operation":"send-message","cursor":${cursor},` +
    `"at":${at},"moves":[{"stream":"conversation","id":"${conversation.id}","after":${after},"sequence":${sequence},` +
    `"audience":${JSON.stringify(audience)},"rows":[{"type":"run","position":${record.position},` +
    `"sequence":${record.sequence},"sender":${JSON.stringify(record.sender)},${nameText(sender)}` +
    `"sentAt":${record.sentAt},"changedAt":${record.changedAt},"ids":["${rows.map(idOf).join('","')}"],` +
    `"lengths":[${lengths.join()}]}]}],"body":${characters}}`
  return { head, body }
}

const idOf = ({ record }: MessageRow) => record.id

function nameText(sender: MessageRow['sender']): string {
  if (!sender) return ''
  const { displayName, avatarUrl } = sender
  if (displayName === null && avatarUrl === null) return '"name":null,"avatar":null,'
  return `"name":${JSON.stringify(displayName)},"avatar":${JSON.stringify(avatarUrl)},`
}

/**
 * The messages that such a row stands for; null if any of it is not as it has to be.
 * @param conversation the one that they lie in
 * @param body where their parts come next
 */
export function readRun(row: Members, conversation: Uuid, body: Body): MessageRow[] | null {
  const { position, sequence, sender, name, avatar, sentAt, changedAt, ids, lengths } = row
  const isRun =
    isPositive(position) &&
    isPositive(sequence) &&
    isUser(sender) &&
    (name === undefined || (isTextOrNull(name) && isTextOrNull(avatar))) &&
    isCount(sentAt) &&
    isCount(changedAt) &&
    Array.isArray(ids) &&
    Array.isArray(lengths) &&
    ids.length === lengths.length &&
    ids.length > 0 &&
    ids.length <= MAX_RUN &&
    ids.every(isUuid) &&
    lengths.every(isPositive)
  if (!isRun) return null
  const profile =
    name === undefined ? undefined : { userId: sender, displayName: name, avatarUrl: avatar as string | null }
  const rows: MessageRow[] = []
  for (let index = 0; index < ids.length; index++) {
    const partsText = body.take(lengths[index]!)
    if (!partsText?.startsWith('[') || !partsText.endsWith(']')) return null
    const place = { conversation, position: position + index, sequence: sequence + index }
    const record = new HeardMessage({ id: ids[index]!, ...place, sender, sentAt, changedAt, partsText })
    rows.push({ type: 'message', record, sender: profile })
  }
  return rows
}

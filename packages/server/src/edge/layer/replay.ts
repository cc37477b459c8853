import { formatPath, identityId, messageId, type PatchOperation, type UserId, watermark } from '@parley/protocol'
import { isActive, type MessageRecord } from '../../model/state.ts'
import type { MovedConversation, ConversationView as StoredView } from '../../store/store.ts'
import type { Viewer } from './changes/telling.ts'
import type { LayerDesk } from './desk.ts'
import { created, deleted, objectName, type Packet, setProperty, updated } from './packets.ts'
import { conversationView, messageIn, toSight } from './views/conversation.ts'
import { basicIdentityView, identityView } from './views/identity.ts'
import { statusOf } from './views/message.ts'

/**
 * How long after it was made a change may be told, at most. A client counts as heard what bears a later timestamp than
 * a change that was still on its way; receivers don't mind hearing it twice.
 */
const MARGIN_MS = 15_000
/** Messages read at a time. */
const PAGE = 200
/** Older messages of a conversation whose receipts are told again one by one, and hidden ones told as deleted. */
const MAX_OLDER = 100

/**
 * Everything that changed for somebody since a time, made from the log: state, not history. A conversation is told
 * whole, then its messages, then who read them; whoever knew some of it already hears nothing new.
 */
export async function* replay(desk: LayerDesk, viewer: Viewer, fromMs: number): AsyncGenerator<Packet> {
  const sinceMs = fromMs - MARGIN_MS
  const introduced = new Set<UserId>()
  for (const moved of await desk.edge.store.lists.movedSince(viewer.app, viewer.userId, sinceMs)) {
    yield* replayConversation({ desk, viewer, sinceMs, introduced }, moved)
  }
}

/** The same of one conversation: what changed there at that time or later. */
export function replayOne(
  desk: LayerDesk,
  viewer: Viewer,
  moved: MovedConversation,
  sinceMs: number,
): AsyncGenerator<Packet> {
  return replayConversation({ desk, viewer, sinceMs, introduced: new Set() }, moved)
}

interface Replay {
  readonly desk: LayerDesk
  readonly viewer: Viewer
  readonly sinceMs: number
  /** Identities told already. */
  readonly introduced: Set<UserId>
}

async function* replayConversation(run: Replay, moved: MovedConversation): AsyncGenerator<Packet> {
  const { desk, viewer, sinceMs } = run
  const { id, own } = moved
  const name = objectName(desk.baseUrl, 'Conversation', `layer:///conversations/${id}`)
  const isOwnMove = own.changedAt >= sinceMs
  if (moved.deletedAt !== null && own.state !== 'left') {
    yield deleted(name, { mode: 'all_participants', from_position: null })
    return
  }
  if (!isActive(own) || own.state === 'hidden' || moved.deletedAt !== null) {
    // What went on without the viewer is no news to them.
    if (!isOwnMove) return
    if (own.state !== 'removed') {
      yield deleted(name, { mode: 'my_devices', from_position: null })
      return
    }
  }
  const stored = await desk.edge.store.lists.conversation(viewer.app, id, viewer.userId)
  if (!stored) return
  const hiddenUpTo = watermark(own.hidden)
  if (isOwnMove && hiddenUpTo > 0) yield deleted(name, { mode: 'my_devices', from_position: hiddenUpTo })
  yield* introductions(run, stored)
  yield created('Conversation', conversationView(desk.baseUrl, { ...toSight(stored), lastMessage: null }))
  yield* messages(run, stored)
  if (isOwnMove) yield* hiddenMessages(run, stored)
  if (isActive(own)) yield* receipts(run, stored)
  yield updated(name, last(desk.baseUrl, stored))
}

/** Identities of those whose side changed, which is also how a changed profile shows. */
function* introductions(run: Replay, stored: StoredView): Generator<Packet> {
  for (const { record, profile } of stored.participants) {
    if (record.changedAt < run.sinceMs || run.introduced.has(record.userId) || !isActive(stored.own)) continue
    run.introduced.add(record.userId)
    yield created('Identity', identityView(run.desk.baseUrl, profile))
  }
}

async function* messages({ desk, viewer, sinceMs }: Replay, stored: StoredView): AsyncGenerator<Packet> {
  const { lists } = desk.edge.store
  let above = 0
  for (;;) {
    const page = { above, limit: PAGE }
    const found = await lists.messagesSince(viewer.app, stored.record.id, viewer.userId, sinceMs, page)
    for (const message of found) {
      above = message.position
      yield message.deletedAt === null
        ? created('Message', messageIn(desk.baseUrl, toSight(stored), message))
        : deletedMessage(desk, message, 'all_participants')
    }
    if (found.length < PAGE) return
  }
}

/** Single messages the viewer deleted from their devices; which of them lately is not kept. */
async function* hiddenMessages({ desk, viewer }: Replay, stored: StoredView): AsyncGenerator<Packet> {
  const { hidden } = stored.own
  const positions: number[] = []
  const start = watermark(hidden) > 0 ? 2 : 0
  for (let i = hidden.length - 2; i >= start; i -= 2) {
    for (let position = hidden[i + 1]!; position >= hidden[i]! && positions.length < MAX_OLDER; position--) {
      positions.push(position)
    }
  }
  if (positions.length === 0) return
  for (const message of await desk.messages.at(viewer, stored.record.id, positions)) {
    yield deletedMessage(desk, message, 'my_devices')
  }
}

/** What others, and the viewer elsewhere, received and read of messages that were there before. */
async function* receipts({ desk, viewer, sinceMs }: Replay, stored: StoredView): AsyncGenerator<Packet> {
  const moved = stored.participants.filter(({ record }) => record.changedAt >= sinceMs && isActive(record))
  if (moved.length === 0) return
  for (const { record, profile } of moved) {
    const position = watermark(record.read)
    if (position === 0) continue
    const identity = basicIdentityView(desk.baseUrl, profile)
    const object = objectName(desk.baseUrl, 'Conversation', `layer:///conversations/${stored.record.id}`)
    yield { type: 'operation', body: { method: 'Conversation.mark_all_read', object, data: { position, identity } } }
  }
  const page = { from: null, limit: MAX_OLDER }
  const newest = await desk.edge.store.lists.messages(viewer.app, stored.record.id, viewer.userId, page)
  for (const message of newest?.items ?? []) {
    // The others were just told whole.
    if (message.sentAt >= sinceMs) continue
    const patch = moved.flatMap(({ record }): PatchOperation[] => {
      const status = statusOf(message, record)
      const isTold = record.userId === message.sender || message.position <= watermark(record.read)
      if (isTold || status === undefined || status === 'sent') return []
      return [setProperty(formatPath(['recipient_status', identityId(record.userId)]), status)]
    })
    if (patch.length > 0) yield updated(objectName(desk.baseUrl, 'Message', messageId(message.id)), patch)
  }
}

/** The last message with its whole value, in case it is older than what the client holds. */
function last(baseUrl: string, stored: StoredView): PatchOperation[] {
  const { lastMessage, unreadCount } = stored
  return [
    lastMessage
      ? {
          ...setProperty('last_message', messageIn(baseUrl, toSight(stored), lastMessage)),
          id: messageId(lastMessage.id),
        }
      : setProperty('last_message', null),
    setProperty('unread_message_count', unreadCount),
  ]
}

const deletedMessage = (desk: LayerDesk, message: Pick<MessageRecord, 'id'>, mode: string): Packet =>
  deleted(objectName(desk.baseUrl, 'Message', messageId(message.id)), { mode })

/**
 * Whether what people were told is true: nothing acknowledged is lost, nothing that was safe on a device vanished,
 * nothing is there twice, nothing that was refused happened, and nobody's messages changed places.
 */
import { hasPosition, parseConversationId, parseMessageId, type UserId, type Uuid } from '@parley/protocol'
import { keyOf, type MessageRecord, type Tables } from '@parley/server/in-process'
import type { Deed } from '../deeds.ts'
import type { Device } from '../device.ts'
import { short } from './check-replica.ts'
import { APP } from './expected-replica.ts'

export function checkDeeds(
  tables: Tables,
  devices: readonly Device[],
  deeds: readonly Deed[],
  aliases: ReadonlyMap<string, string>,
  refused: ReadonlySet<string>,
): string[] {
  const findings: string[] = []
  const inStore = [...tables.messages.values()].flat()
  const byText = new Map<string, MessageRecord[]>()
  for (const message of inStore) {
    const text = message.parts[0]?.body
    if (text !== undefined) byText.set(text, [...(byText.get(text) ?? []), message])
  }
  const byId = new Map(inStore.map((message) => [message.id as string, message]))
  // Refused, and still to be seen as such: a device that crashed on hearing of it has told nobody yet.
  const failed = new Set(
    devices.flatMap((device) => (device.disk.table('outbox').all() as { readonly id: string }[]).map(({ id }) => id)),
  )
  /** What was asked for under one name may have turned out to exist under another. */
  const uuidOf = (conversation: string): Uuid => {
    const uuid = parseConversationId(conversation)!
    return (aliases.get(uuid) as Uuid | undefined) ?? uuid
  }
  const entryOf = (conversation: string) => tables.conversations.get(keyOf(APP, uuidOf(conversation)))
  const participant = (conversation: string, userId: string) =>
    tables.participants.get(keyOf(APP, uuidOf(conversation)))?.get(userId as UserId)
  const gone = new Set(
    [...tables.conversations.values()].filter(({ record }) => record.deletedAt !== null).map(({ record }) => record.id),
  )
  /** Deleted for all, a conversation takes its messages along. */
  const isDestroyed = ({ conversation }: Deed) => {
    if (conversation === null) return false
    return gone.has(uuidOf(conversation))
  }

  for (const deed of deeds) {
    const found = (sentence: string) =>
      findings.push(`${deed.device}: ${deed.name} #${deed.number} ${JSON.stringify(deed.mark)} ${sentence}`)
    const isDone = deed.acknowledged !== undefined
    const isFailed = deed.wasRefused || failed.has(deed.operationId ?? '')
    const mustBe = isDone || (deed.state === 'placed' && !isFailed && !deed.isGivenUp)
    switch (deed.mark.type) {
      case 'text': {
        const copies = byText.get(deed.mark.text)?.length ?? 0
        const own = deed.operationId === null ? undefined : byId.get(deed.operationId)
        if (copies > 1) found(`is there ${copies} times`)
        if (mustBe && copies === 0 && !own && !isDestroyed(deed)) {
          found(isDone ? 'was acknowledged and is lost' : 'was safe on the device and is lost')
        }
        if (deed.state === 'refused-locally' && copies > 0) found('was not taken on, and happened')
        break
      }
      case 'create': {
        const { conversation } = (deed.acknowledged ?? {}) as { readonly conversation?: string }
        if (conversation && !entryOf(conversation)) {
          found('was acknowledged and is lost')
        }
        break
      }
      case 'read':
      case 'delivered': {
        const record = isDone && deed.conversation !== null ? participant(deed.conversation, deed.userId) : undefined
        if (!record) break
        const { position, only } = deed.mark
        const entry = entryOf(deed.conversation!)!
        const set = deed.mark.type === 'read' ? record.read : record.delivered
        for (let each = only ? position : 1; each <= Math.min(position, entry.headPosition); each++) {
          if (!hasPosition(set, each)) found(`was acknowledged, and ${each} is not marked`)
        }
        break
      }
      case 'participant':
        if (isDone && deed.conversation !== null && !participant(deed.conversation, deed.mark.userId)) {
          found('was acknowledged, and nobody of that name ever took part')
        }
        break
      case 'deleted': {
        const entry = deed.conversation && entryOf(deed.conversation)
        if (isDone && entry && entry.record.deletedAt === null) found('was acknowledged, and it is there')
        break
      }
      case 'message-deleted': {
        const message = byId.get(parseMessageId(deed.mark.message)!)
        if (!isDone || !message) break
        const own = tables.participants.get(keyOf(APP, message.conversation))?.get(deed.userId as UserId)
        const isGone = deed.mark.isForAll
          ? message.deletedAt !== null
          : own && hasPosition(own.hidden, message.position)
        if (!isGone) found('was acknowledged, and it is there')
        break
      }
      case 'metadata':
      case 'none':
        break
    }
  }
  return [...findings, ...checkOrder(deeds, byText, refused)]
}

/** One tab's messages of one conversation lie in the order they were written; what was refused once may be late. */
function checkOrder(
  deeds: readonly Deed[],
  byText: ReadonlyMap<string, readonly MessageRecord[]>,
  refused: ReadonlySet<string>,
): string[] {
  const findings: string[] = []
  const last = new Map<string, { readonly position: number; readonly text: string }>()
  for (const deed of deeds) {
    const isLate = deed.wasRefused || refused.has(deed.operationId ?? '')
    if (deed.mark.type !== 'text' || isLate || deed.state === 'refused-locally') continue
    const message = byText.get(deed.mark.text)?.[0]
    if (!message) continue
    const lane = `${deed.device} ${deed.installation} ${deed.tab} ${deed.conversation}`
    const before = last.get(lane)
    if (before && before.position > message.position) {
      findings.push(`${deed.device}: ${deed.mark.text} overtook ${before.text} in ${short(message.conversation)}`)
    }
    last.set(lane, { position: message.position, text: deed.mark.text })
  }
  return findings
}

import { type IdentityId, type MessageRow, type RowsFrame, uuidv7 } from '@parley/protocol'
import type { Chance, Clock } from '../environment.ts'
import type { Draft } from '../outbox/drafting.ts'
import type { Replica, StoredStream } from '../replica/replica.ts'
import { deliveryDue } from './receipts.ts'
import type { StoredRows } from './stored-rows.ts'

/** Newest messages looked at to find one of somebody else's. */
const NEWEST_LOOKED_AT = 20

export interface Arrival {
  /** As it was before. */
  readonly stored: StoredRows
  readonly rows: RowsFrame['rows']
  /** As it will be. */
  readonly stream: StoredStream
  /** Up to where others were told before. */
  readonly told: number
}

/** What others are to be told, once these rows are written: that messages arrived. */
export async function draftDeliveryReceipt(
  ports: { readonly replica: Replica; readonly identity: IdentityId; readonly clock: Clock; readonly chance: Chance },
  { stored, rows, stream, told }: Arrival,
): Promise<Draft<'mark-messages'> | undefined> {
  const { replica, identity, clock, chance } = ports
  const conversation = stream.stream
  if (conversation === 'inbox' || stream.sequence < stream.head) return undefined
  if (!rows.some((row) => row.type === 'message' || row.type === 'participant')) return undefined
  const membership = stored.memberships.get(conversation)
  if (membership && membership.state !== 'joined') return undefined
  const arrived = rows.filter((row): row is MessageRow => row.type === 'message')
  const arrivedMe = rows.find((row) => row.type === 'participant' && row.identity.id === identity)
  if (arrived.length === 0 && wasSaidBefore(stored, arrivedMe && identity)) return undefined
  // The first rows of a conversation are its newest: there is nothing to look up.
  const isFirst = !stored.stream?.sequence
  const [storedMe, newest] = await Promise.all([
    isFirst && arrivedMe ? undefined : replica.get('participants', [conversation, identity]),
    isFirst ? [] : replica.scan('messages', { prefix: [conversation], reverse: true, limit: NEWEST_LOOKED_AT }),
  ])
  const me = arrivedMe?.type === 'participant' && arrivedMe.sequence > (storedMe?.sequence ?? 0) ? arrivedMe : storedMe
  const position = deliveryDue({ stream, me, newest: [...newest, ...arrived] })
  if (position === undefined || position <= told) return undefined
  return {
    id: uuidv7(clock.wall(), chance.bytes(10)),
    name: 'mark-messages',
    conversation,
    input: { conversation, receipt: 'delivery', position },
  }
}

/**
 * Whether what there is to say without new messages was said when the last of them arrived: all of the conversation was
 * here, and one took part in it. Receipts of others, and the echo of one's own, are most of what is heard.
 */
function wasSaidBefore({ stream, participants }: StoredRows, me: IdentityId | undefined): boolean {
  if (!stream?.complete || stream.sequence < stream.head) return false
  return me === undefined || participants.get(me)?.state === 'active'
}

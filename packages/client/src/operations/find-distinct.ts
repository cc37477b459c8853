import type { ConversationId, IdentityId } from '@parley/protocol'
import { isEntry } from '../outbox/summary.ts'
import type { OutboxEntry, Replica } from '../replica/replica.ts'

/**
 * The distinct conversation of exactly these people, as far as this device knows (DIST-2): confirmed, or on its way.
 * It saves a question; where the device knows less than the server, the server finds it (DIST-3).
 */
export async function findDistinct(
  replica: Replica,
  outbox: readonly OutboxEntry[],
  people: ReadonlySet<IdentityId>,
): Promise<ConversationId | undefined> {
  const changed = new Set(outbox.filter(changesParticipants).map((entry) => entry.conversation))
  for (const entry of outbox) {
    if (changed.has(entry.conversation)) continue
    if (entry.state.state === 'failed' || !isEntry(entry, 'create-conversation') || !entry.input.distinct) continue
    // Written by ourselves, as identity ids.
    const asked = new Set([...(entry.input.participants as IdentityId[]), entry.identity])
    if (asked.size === people.size && [...people].every((id) => asked.has(id))) return entry.conversation
  }
  for (const { id, distinct, deleted_at } of await replica.scan('conversations')) {
    if (!distinct || deleted_at !== null || changed.has(id)) continue
    const participants = await replica.scan('participants', { prefix: [id] })
    const active = participants.filter((row) => row.state === 'active')
    if (active.length !== people.size || !active.every((row) => people.has(row.identity.id))) continue
    // Hidden ones come back by asking the server for them.
    if ((await replica.get('memberships', [id]))?.state === 'joined') return id
  }
  return undefined
}

/** Any change of participants makes a distinct conversation an ordinary one (CNV-2), leaving it included. */
function changesParticipants(entry: OutboxEntry): boolean {
  if (isEntry(entry, 'delete-conversation')) return true
  if (!isEntry(entry, 'update-conversation')) return false
  return (entry.input.patch as readonly { readonly property: string }[]).some(
    ({ property }) => property === 'participants',
  )
}

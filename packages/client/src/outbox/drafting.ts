/**
 * From operations about to be asked for to entries of the outbox: in order, under the ids that their conversations go by
 * now, and in place of the marks that they make superfluous. Pure.
 */
import type { ConversationId, IdentityId, OperationInputs, OperationName } from '@parley/protocol'
import type { OutboxEntry, Write } from '../replica/replica.ts'
import { relabel } from './relabel.ts'
import { deleteEntries, putEntries } from './stored-entries.ts'
import { type Summary, summarise, supersededBy } from './summary.ts'

/** An operation about to be asked for. */
export interface Draft<Name extends OperationName = OperationName> extends Pick<OutboxEntry, 'isEcho'> {
  readonly id: string
  readonly name: Name
  readonly input: OperationInputs[Name]
  readonly conversation: ConversationId
}

/** What the drafts find in the outbox. */
export interface DraftingFrom {
  /** The order number of the first. */
  readonly order: number
  /** ISO 8601 */
  readonly createdAt: string
  readonly identity: IdentityId
  readonly entries: readonly Summary[]
  readonly isUnderWay: (id: string) => boolean
  readonly resolve: (conversation: ConversationId) => ConversationId
}

export interface Drafted {
  readonly entries: readonly OutboxEntry[]
  readonly replaced: readonly Replaced[]
  /** For the commit that adds them. */
  readonly writes: readonly Write[]
}

interface Replaced {
  readonly old: Summary
  readonly by: OutboxEntry
}

export function draftEntries(drafts: readonly Draft[], from: DraftingFrom): Drafted {
  const { createdAt, identity, isUnderWay, resolve } = from
  const entries: OutboxEntry[] = []
  const replaced = new Map<string, Replaced>()
  const added: Summary[] = []
  for (const [i, draft] of drafts.entries()) {
    const plain: OutboxEntry = { ...draft, order: from.order + i, createdAt, identity, state: { state: 'waiting' } }
    const conversation = resolve(draft.conversation)
    const entry = conversation === draft.conversation ? plain : relabel(plain, conversation)
    for (const among of [from.entries, added]) {
      for (const old of supersededBy(entry, among, isUnderWay)) replaced.set(old.id, { old, by: entry })
    }
    added.push(summarise(entry))
    entries.push(entry)
  }
  const gone = [...replaced.values()]
  return { entries, replaced: gone, writes: [...putEntries(entries), ...deleteEntries(gone.map(({ old }) => old))] }
}

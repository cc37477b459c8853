import type { ConversationId, OperationName, StreamId } from '@parley/protocol'
import type { OutboxEntry } from '../replica/replica.ts'

/**
 * What the outbox keeps in memory of an entry: enough to decide what goes next, without the contents, which may be
 * large and lie in the replica.
 */
export interface Summary {
  readonly order: number
  readonly id: string
  readonly name: OperationName
  readonly conversation: ConversationId
  readonly state: OutboxEntry['state']['state']
  /** Once acknowledged: where its effect lies. */
  readonly settlesAt: { readonly stream: StreamId; readonly sequence: number } | null
  /** For a mark up to a position: what a newer one is compared with. */
  readonly mark: { readonly receipt: 'delivery' | 'read'; readonly position: number } | null
  /** Made by the SDK itself; the app neither sees nor misses it. */
  readonly isQuiet: boolean
}

export function summarise(entry: OutboxEntry): Summary {
  const { state } = entry
  return {
    order: entry.order,
    id: entry.id,
    name: entry.name,
    conversation: entry.conversation,
    state: state.state,
    settlesAt: state.state === 'acknowledged' ? { stream: state.stream, sequence: state.sequence } : null,
    mark: markOf(entry),
    isQuiet: isQuiet(entry),
  }
}

function markOf(entry: Pick<OutboxEntry, 'name' | 'input'>): Summary['mark'] {
  if (!isEntry(entry, 'mark-messages') || entry.input.only) return null
  return { receipt: entry.input.receipt, position: entry.input.position }
}

/** Delivery receipts are the SDK's own; read marks are the user's doing, once. */
export function isQuiet(entry: Pick<OutboxEntry, 'name' | 'input' | 'isEcho'>): boolean {
  return entry.isEcho || (isEntry(entry, 'mark-messages') && entry.input.receipt === 'delivery')
}

/** Narrows an entry by its operation's name. */
export function isEntry<Name extends OperationName>(
  entry: Pick<OutboxEntry, 'name' | 'input'>,
  name: Name,
): entry is Pick<OutboxEntry<Name>, 'name' | 'input'> {
  return entry.name === name
}

/**
 * The waiting marks that a new mark makes superfluous: of the same conversation and receipt, not beyond it, and not
 * under way. The new one goes to the end of the outbox under its own id, since the server may have carried the old
 * one out already and would answer its id with the old position.
 */
export function supersededBy(
  draft: Pick<OutboxEntry, 'name' | 'input' | 'conversation'>,
  entries: readonly Summary[],
  isUnderWay: (id: string) => boolean,
): readonly Summary[] {
  const mark = markOf(draft)
  if (!mark) return []
  return entries.filter(
    (entry) =>
      entry.state === 'waiting' &&
      entry.mark !== null &&
      entry.conversation === draft.conversation &&
      entry.mark.receipt === mark.receipt &&
      entry.mark.position <= mark.position &&
      !isUnderWay(entry.id),
  )
}

/**
 * What becomes of entries when the server has answered for good. It decides and reads what depends on them; writing it
 * down, in one commit, and telling whoever waits is for `outbox.ts`.
 */
import type { AcknowledgementFrame, ConversationId, Json, StreamId, WireError } from '@parley/protocol'
import type { OutboxEntry, Write } from '../replica/replica.ts'
import { put, putMeta, remove } from '../replica/writes.ts'
import type { Acknowledged } from './answers.ts'
import { relabel } from './relabel.ts'
import { isQuiet } from './summary.ts'

export interface SettlementPorts {
  /** Up to where the replica has a stream. */
  readonly sequenceOf: (stream: StreamId) => number
  /** Entries of a conversation that are still there, by order. */
  readonly entriesOf: (conversation: ConversationId) => Promise<readonly OutboxEntry[]>
}

export interface Settlement {
  /** As they are afterwards, by order; undefined for what is dropped. */
  readonly entries: Map<number, OutboxEntry | undefined>
  /** Conversations that turned out to be others. */
  readonly aliases: Map<ConversationId, ConversationId>
  readonly accepted: Map<string, Acknowledged>
  readonly refused: Map<string, WireError>
  /** What failed, each with what failed because of it. */
  readonly failed: (readonly OutboxEntry[])[]
}

export async function settle(
  waiting: readonly OutboxEntry[],
  answers: ReadonlyMap<string, AcknowledgementFrame>,
  ports: SettlementPorts,
): Promise<Settlement> {
  const settlement: Settlement = {
    entries: new Map(),
    aliases: new Map(),
    accepted: new Map(),
    refused: new Map(),
    failed: [],
  }
  for (const entry of waiting) {
    const answer = answers.get(entry.id)!
    if ('refusal' in answer) await refuse(entry, answer.refusal, settlement, ports)
    else await accept(entry, answer, settlement, ports)
  }
  return settlement
}

async function accept(
  entry: OutboxEntry,
  { stream, sequence, result: raw }: Extract<AcknowledgementFrame, { result: unknown }>,
  { entries, aliases, accepted }: Settlement,
  { sequenceOf, entriesOf }: SettlementPorts,
): Promise<void> {
  const result = raw as Json
  const { order, conversation: from } = entry
  const to = (entry.name === 'create-conversation' && conversationOf(result)) || from
  if (to !== from) {
    // Everything written for the conversation that was to be made belongs to the one that was found (DIST-3).
    for (const other of await entriesOf(from)) entries.set(other.order, relabel(other, to))
    aliases.set(from, to)
  }
  const state = { state: 'acknowledged', stream, sequence, result } as const
  const isSeen = sequenceOf(stream) >= sequence
  entries.set(order, isSeen ? undefined : { ...(to === from ? entry : relabel(entry, to)), state })
  accepted.set(entry.id, { result, conversation: to })
}

async function refuse(
  entry: OutboxEntry,
  error: WireError,
  { entries, refused, failed }: Settlement,
  { entriesOf }: SettlementPorts,
): Promise<void> {
  // The SDK's own receipts are best effort: refused means that there is nobody to tell any more.
  if (isQuiet(entry)) {
    entries.set(entry.order, undefined)
    refused.set(entry.id, error)
    return
  }
  // What was meant for a conversation that will never be fails with it (QUEUE-9).
  const dependents = entry.name === 'create-conversation' ? await entriesOf(entry.conversation) : []
  const because = { ...error, data: { because: entry.id } }
  const rows = [
    withError(entry, error),
    ...dependents
      .filter(({ order, state }) => order > entry.order && state.state === 'waiting')
      .map((dependent) => withError(dependent, because)),
  ]
  for (const row of rows) {
    entries.set(row.order, row)
    refused.set(row.id, error)
  }
  failed.push(rows)
}

/** All of it, for one commit. */
export function settlementWrites({ entries, aliases }: Settlement): Write[] {
  return [
    ...[...entries].map(([order, row]) => (row ? put('outbox', row) : remove('outbox', [order]))),
    ...[...aliases].map(([from, to]) => putMeta(`alias:${from}`, to)),
  ]
}

const withError = (entry: OutboxEntry, error: WireError): OutboxEntry => ({
  ...entry,
  state: { state: 'failed', error },
})

function conversationOf(result: Json): ConversationId | undefined {
  const conversation = (result as { readonly conversation?: Json } | null)?.conversation
  return typeof conversation === 'string' ? (conversation as ConversationId) : undefined
}

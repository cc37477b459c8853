/**
 * The streams of this replica in memory: what the `streams` table says, plus when each was last active. It owns the
 * copy and answers what to fetch next; the table itself is written with the rows it speaks of.
 */
import type { ConversationId, StreamId } from '@parley/protocol'
import { clientLimits } from '@parley/protocol'
import type { StoredStream, Write } from '../replica/replica.ts'

/** Rows one pull may bring, at most about so many: they are held in memory until they are written. */
const MAX_PULL_ROWS = 2_000

/** A stream whose answer brought nothing is left alone at first for the one, at last for the other. */
const REST_MS = 5_000
const MAX_REST_MS = 10 * 60_000

export class Streams {
  readonly #streams = new Map<StreamId, StoredStream>()
  readonly #activity = new Map<StreamId, string>()
  /** Streams that are not asked for until then, and how often asking was in vain. */
  readonly #resting = new Map<StreamId, { readonly until: number; readonly times: number }>()

  load(streams: readonly StoredStream[]): void {
    this.#streams.clear()
    for (const stream of streams) this.#streams.set(stream.stream, stream)
  }

  /** These writes were committed. Answers the streams they removed. */
  follow(writes: readonly Write[]): StreamId[] {
    const removed: StreamId[] = []
    for (const write of writes) {
      if (write.type === 'put' && write.table === 'streams') this.#put(write.row)
      else if (write.type === 'put' && write.table === 'messages') this.noteActivity(write.row)
      else if (write.type === 'delete' && write.table === 'streams') {
        const stream = write.key[0] as StreamId
        this.#streams.delete(stream)
        removed.push(stream)
      }
    }
    return removed
  }

  #put(stream: StoredStream): void {
    const before = this.#streams.get(stream.stream)
    const isProgress = before?.sequence !== stream.sequence || before.oldest !== stream.oldest
    if (isProgress) this.#resting.delete(stream.stream)
    this.#streams.set(stream.stream, stream)
  }

  noteActivity(message: { readonly conversation: ConversationId; readonly sent_at: string }): void {
    const known = this.#activity.get(message.conversation)
    if (known === undefined || known < message.sent_at) this.#activity.set(message.conversation, message.sent_at)
  }

  /** Asking for this stream brought nothing: it is left alone for a while, each time for longer. */
  rest(stream: StreamId, now: number): void {
    const times = (this.#resting.get(stream)?.times ?? 0) + 1
    this.#resting.set(stream, { times, until: now + Math.min(MAX_REST_MS, REST_MS * 2 ** (times - 1)) })
  }

  #isResting(stream: StreamId, now: number): boolean {
    return (this.#resting.get(stream)?.until ?? 0) > now
  }

  get(stream: StreamId): StoredStream | undefined {
    return this.#streams.get(stream)
  }

  all(): readonly StoredStream[] {
    return [...this.#streams.values()]
  }

  /** What to pull next: the inbox first, since it says which conversations there are. */
  behind(now: number): { readonly stream: StreamId; readonly after: number }[] {
    const chosen: { readonly stream: StreamId; readonly after: number }[] = []
    let rows = 0
    const inbox = this.#streams.get('inbox')
    for (const stream of [...(inbox ? [inbox] : []), ...this.#streams.values()]) {
      if (chosen.length >= clientLimits.maxPullStreams || rows >= MAX_PULL_ROWS) break
      const isListed = stream === inbox && chosen.length > 0
      if (isListed || !isBehind(stream) || needsFirstPage(stream) || this.#isResting(stream.stream, now)) continue
      chosen.push({ stream: stream.stream, after: stream.sequence })
      rows += stream.head - stream.sequence
    }
    return chosen
  }

  /**
   * Whose history to fetch next, and below which position (null: from the newest message down): conversations without a
   * copy, so that the list is soon whole; then whichever was active last, since that is what its reader scrolls through.
   */
  nextForHistory(
    now: number,
    isBusy: (conversation: ConversationId) => boolean,
  ): { readonly conversation: ConversationId; readonly before: number | null } | undefined {
    let best: { readonly conversation: ConversationId; readonly before: number | null } | undefined
    for (const stream of this.#streams.values()) {
      const conversation = stream.stream
      if (conversation === 'inbox' || isBusy(conversation) || this.#isResting(conversation, now)) continue
      if (needsFirstPage(stream)) return { conversation, before: null }
      if (stream.complete || stream.sequence === 0) continue
      if (!best || this.#isMoreActive(conversation, best.conversation)) best = { conversation, before: stream.oldest }
    }
    return best
  }

  progress(): { readonly conversationsDone: number; readonly conversationsTotal: number } {
    const conversations = [...this.#streams.values()].filter((stream) => stream.stream !== 'inbox' && stream.head > 0)
    return {
      conversationsDone: conversations.filter((stream) => stream.complete).length,
      conversationsTotal: conversations.length,
    }
  }

  #isMoreActive(a: ConversationId, b: ConversationId): boolean {
    return (this.#activity.get(a) ?? '') > (this.#activity.get(b) ?? '')
  }
}

export function isBehind(stream: StoredStream): boolean {
  return stream.head > stream.sequence
}

/** A conversation of which there is nothing yet is fetched from its newest messages down. */
function needsFirstPage(stream: StoredStream): boolean {
  return stream.stream !== 'inbox' && stream.sequence === 0 && stream.head > 0
}

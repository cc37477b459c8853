import type { ConversationId, MessageId } from '@parley/protocol'
import { ReplicaError } from '../replica/replica.ts'
import type { ConversationView } from '../view/conversation-view.ts'
import type { MessageView } from '../view/message-view.ts'
import { countMessages, readMessage, readNewest } from '../view/read-messages.ts'
import { createLiveQuery, type LiveQuery, type Loaded } from './live-query.ts'
import { Session, type Summary } from './session.ts'
import type { ViewSource } from './view-source.ts'

/** What screens look at. All of it reads the replica; nothing here knows of a network. */
export interface Views {
  /** Conversations, newest first. */
  conversations(options?: ConversationQueryOptions): LiveQuery<ConversationView>
  /** The newest messages of a conversation, oldest first; those in the outbox follow the confirmed ones. */
  messages(conversation: ConversationId, options?: MessageQueryOptions): LiveQuery<MessageView>
  /** One conversation as it is now; also one that queries don't find any more, as long as its row is here. */
  conversation(id: ConversationId): Promise<ConversationView | null>
  message(conversation: ConversationId, id: MessageId): Promise<MessageView | null>
  /** Ends every query made here. */
  close(): void
}

export interface ConversationQueryOptions {
  readonly sortBy?: 'lastMessage' | 'createdAt'
  /** Only this one: for a screen that shows a single conversation. */
  readonly id?: ConversationId
  readonly predicate?: (conversation: ConversationView) => boolean
  /**
   * Whether conversations without any message are found: those just created, those made by the app's backend, those
   * whose messages were all deleted. True unless said otherwise: a screen on which one has just created a conversation
   * wants to show it.
   */
  readonly includeEmpty?: boolean
  /** Unbounded unless said otherwise. */
  readonly window?: number
}

export interface MessageQueryOptions {
  readonly window?: number
}

export const DEFAULT_MESSAGE_WINDOW = 50

const NOTHING: Loaded<never> = { items: [], total: 0, hasMore: false }

export function createViews(source: ViewSource): Views {
  const running = new Map<LiveQuery<unknown>, Running>()
  let session = openSession(source)

  const unsubscribe = source.subscribe((touched) => {
    if (touched === 'everything') session = openSession(source)
    const changed = touched === 'everything' ? 'all' : (session?.take(touched) ?? 'all')
    if (changed !== 'all' && changed.size === 0) return
    for (const { conversation, invalidate } of running.values()) {
      if (changed === 'all' || !conversation || changed.has(conversation)) invalidate()
    }
  })

  function run<T extends { readonly id: string }>(
    window: number,
    conversation: ConversationId | undefined,
    load: (session: Session, window: number) => Promise<Loaded<T>>,
  ): LiveQuery<T> {
    const { query, invalidate } = createLiveQuery<T>({
      window,
      load: async (size) => (session ? load(session, size) : NOTHING),
      // Looking while the replica closes is no news.
      report: (error) => (isClosed(error) ? undefined : source.report(error)),
      onClose: () => running.delete(query),
    })
    running.set(query, { conversation, invalidate })
    return query
  }

  return {
    conversations: (options = {}) =>
      run(options.window ?? Number.POSITIVE_INFINITY, options.id, async (from, window) =>
        pick([...(await from.summaries()).values()], options, window),
      ),

    messages: (id, { window = DEFAULT_MESSAGE_WINDOW } = {}) =>
      run(window, id, (from, size) => loadMessages(from, id, size)),

    async conversation(id) {
      return (await session?.summaries())?.get(id)?.view ?? null
    },

    async message(conversation, id) {
      return session ? readMessage(session.basis.replica, await session.state(conversation), id) : null
    },

    close() {
      unsubscribe()
      for (const query of [...running.keys()]) query.close()
    },
  }
}

interface Running {
  /** Undefined: of all conversations. */
  readonly conversation: ConversationId | undefined
  readonly invalidate: () => void
}

function openSession(source: ViewSource): Session | undefined {
  const basis = source.current()
  return basis ? new Session(basis) : undefined
}

const isClosed = (error: unknown) => error instanceof ReplicaError && error.code === 'closed'

function pick(
  summaries: readonly Summary[],
  { sortBy = 'lastMessage', id, predicate, includeEmpty = true }: ConversationQueryOptions,
  window: number,
): Loaded<ConversationView> {
  const found = summaries
    .filter(
      ({ isShown, view }) =>
        isShown &&
        (id === undefined || view.id === id) &&
        (includeEmpty || view.lastMessage !== null) &&
        (!predicate || predicate(view)),
    )
    .sort((a, b) => b.sortKeys[sortBy] - a.sortKeys[sortBy] || (a.view.id < b.view.id ? 1 : -1))
  return {
    items: found.slice(0, window).map(({ view }) => view),
    total: found.length,
    hasMore: found.length > window,
  }
}

async function loadMessages(session: Session, id: ConversationId, window: number): Promise<Loaded<MessageView>> {
  const { replica } = session.basis
  const state = await session.state(id)
  const { messages, hasMore } = await readNewest(replica, state, window)
  const total = hasMore ? (await countMessages(replica, state)) + state.pending.length : messages.length
  return { items: messages, total, hasMore }
}

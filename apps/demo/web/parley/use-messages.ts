import type { Client, MessageView } from '@parley/client'
import { useCallback } from 'react'
import { useLiveQuery } from './use-live-query.ts'

const PAGE = 50

export interface Messages {
  /** Oldest first. */
  readonly messages: readonly MessageView[]
  readonly hasOlder: boolean
  readonly isReady: boolean
  readonly loadOlder: () => void
}

/** The newest messages of a conversation, and older ones page by page. */
export function useMessages(client: Client, conversation: string): Messages {
  const { items, hasMore, isReady, loadMore } = useLiveQuery(conversation, () =>
    client.messages({ conversation, window: PAGE }),
  )
  const loadOlder = useCallback(() => loadMore(PAGE), [loadMore])
  return { messages: items, hasOlder: hasMore, isReady, loadOlder }
}

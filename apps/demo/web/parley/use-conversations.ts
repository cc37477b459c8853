import type { Client } from '@parley/client'
import { useMemo } from 'react'
import type { ConversationItem } from '../model/chat.ts'
import { toConversationItem } from './to-items.ts'
import { useLiveQuery } from './use-live-query.ts'
import type { Typing } from './use-typing.ts'

const nobody: readonly string[] = []

export interface Conversations {
  readonly conversations: readonly ConversationItem[]
  readonly isReady: boolean
}

/** All conversations, the one with the newest message first. */
export function useConversations(client: Client, myId: string, typing: Typing): Conversations {
  const { items, isReady } = useLiveQuery(myId, () => client.conversations())
  const conversations = useMemo(
    () =>
      items.map((conversation) =>
        toConversationItem(conversation, { myId, typing: typing.get(conversation.id) ?? nobody }),
      ),
    [items, myId, typing],
  )
  return { conversations, isReady }
}

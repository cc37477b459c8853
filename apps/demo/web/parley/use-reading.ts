import type { Client, MessageView } from '@parley/client'
import { useEffect, useState } from 'react'
import { useAttention } from './use-attention.ts'

export interface Reading {
  /** Where the "new messages" marker stands. */
  readonly firstNew: string | undefined
  readonly onAtBottom: (isAtBottom: boolean) => void
}

/**
 * What was on the screen while somebody looked counts as read. The marker shows where that began: at the first unread
 * message when the conversation was opened, or when nobody was looking.
 */
export function useReading(client: Client, conversation: string, messages: readonly MessageView[]): Reading {
  const isLooking = useAttention()
  const [isAtBottom, setAtBottom] = useState(false)
  const [firstNew, setFirstNew] = useState<string>()
  const [isOpened, setOpened] = useState(false)

  const firstUnread = messages.find((message) => message.isUnread)
  const isMarked = messages.some((message) => message.id === firstNew && message.isUnread)
  if (firstUnread && !isMarked && firstUnread.id !== firstNew && (!isOpened || !isLooking)) setFirstNew(firstUnread.id)
  if (messages.length > 0 && !isOpened) setOpened(true)

  const newest = messages.findLast((message) => message.position !== null)?.position ?? 0
  const isRead = firstUnread === undefined
  useEffect(() => {
    if (!isLooking || !isAtBottom || isRead || newest === 0) return
    client
      .conversation(conversation)
      .markRead(newest)
      .catch(() => {})
  }, [client, conversation, isLooking, isAtBottom, isRead, newest])

  return { firstNew, onAtBottom: setAtBottom }
}

import { useEffect, useRef, useState } from 'react'
import type { ConversationItem } from '../model/chat.ts'

/** The newest message of somebody else, as a sentence to be read aloud; nothing for what was there before. */
export function useAnnouncement(conversations: readonly ConversationItem[]): string {
  const heardUpTo = useRef(new Date().toISOString())
  const [text, setText] = useState('')
  useEffect(() => {
    const newest = conversations
      .flatMap(({ last }) => (last && !last.isOwn && last.at > heardUpTo.current ? [last] : []))
      .sort((a, b) => (a.at < b.at ? 1 : -1))[0]
    if (!newest) return
    heardUpTo.current = newest.at
    setText(`${newest.senderName}: ${newest.text}`)
  }, [conversations])
  return text
}

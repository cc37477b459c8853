import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { MessageItem } from '../model/chat.ts'

const BOTTOM_PX = 40
const TOP_PX = 400

interface ScrollOptions {
  readonly messages: readonly MessageItem[]
  readonly firstNew: string | undefined
  readonly hasOlder: boolean
  readonly onLoadOlder: () => void
}

export interface Scroll {
  readonly container: RefObject<HTMLDivElement | null>
  readonly column: RefObject<HTMLDivElement | null>
  readonly isAtBottom: boolean
  readonly onScroll: () => void
  readonly toBottom: () => void
}

/**
 * Where a list of messages stands: it opens at the first new message or at the bottom, stays at the bottom when it is
 * there, goes there when I write, and keeps its place when older messages come in above.
 */
export function useScroll({ messages, firstNew, hasOlder, onLoadOlder }: ScrollOptions): Scroll {
  const container = useRef<HTMLDivElement>(null)
  const column = useRef<HTMLDivElement>(null)
  const before = useRef({ first: '', last: '', height: 0, isOpened: false })
  const pinned = useRef(true)
  const [isAtBottom, setAtBottom] = useState(true)

  const look = () => {
    const box = container.current
    if (!box) return
    pinned.current = box.scrollHeight - box.scrollTop - box.clientHeight < BOTTOM_PX
    setAtBottom(pinned.current)
    if (hasOlder && box.scrollTop < TOP_PX) onLoadOlder()
  }
  const toBottom = () => {
    const box = container.current
    if (!box) return
    box.scrollTop = box.scrollHeight
    look()
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: only other messages move the list
  useLayoutEffect(() => {
    const box = container.current
    const last = messages.at(-1)
    if (!box || !last) return
    const was = before.current
    const isPrepended = was.first !== '' && was.first !== messages[0]?.id && was.last === last.id
    if (!was.isOpened) openAt(box, firstNew)
    else if (last.id !== was.last && last.isOwn) box.scrollTop = box.scrollHeight
    else if (isPrepended && !pinned.current) box.scrollTop += box.scrollHeight - was.height
    else if (pinned.current) box.scrollTop = box.scrollHeight
    before.current = { first: messages[0]?.id ?? '', last: last.id, height: box.scrollHeight, isOpened: true }
    look()
  }, [messages])

  useEffect(() => {
    const box = container.current
    if (!box || !column.current) return
    const observer = new ResizeObserver(() => {
      if (pinned.current) box.scrollTop = box.scrollHeight
      before.current.height = box.scrollHeight
    })
    observer.observe(box)
    observer.observe(column.current)
    return () => observer.disconnect()
  }, [])

  return { container, column, isAtBottom, onScroll: look, toBottom }
}

function openAt(box: HTMLElement, firstNew: string | undefined): void {
  const marker = firstNew && box.querySelector('.divider.new')
  if (marker) marker.scrollIntoView({ block: 'start' })
  else box.scrollTop = box.scrollHeight
}

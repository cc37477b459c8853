import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react'
import type { MessageItem } from '../model/chat.ts'
import { groupMessages } from '../model/groups.ts'
import { Icon } from './icon.tsx'
import type { MessageActions } from './message-bubble.tsx'
import { MessageGroup } from './message-group.tsx'
import { TypingRow } from './typing-row.tsx'
import { useLatest } from './use-latest.ts'
import { useScroll } from './use-scroll.ts'

export interface MessageListProps extends MessageActions {
  readonly messages: readonly MessageItem[]
  readonly typing: readonly string[]
  /** Where the "new messages" marker stands. */
  readonly firstNew: string | undefined
  readonly hasOlder: boolean
  readonly showSenders: boolean
  readonly now: Date
  readonly onLoadOlder: () => void
  /** Whether the newest message is in view. */
  readonly onAtBottom: (isAtBottom: boolean) => void
}

/** Oldest at the top. Tab reaches the list, arrows walk through its messages, Enter opens a message's menu. */
export function MessageList(props: MessageListProps) {
  const { messages, firstNew, typing, hasOlder, showSenders, now, onLoadOlder, onAtBottom } = props
  const actions: MessageActions = {
    onCopy: useLatest(props.onCopy),
    onDelete: useLatest(props.onDelete),
    onRetry: useLatest(props.onRetry),
    onDiscard: useLatest(props.onDiscard),
  }
  const scroll = useScroll({ messages, firstNew, hasOlder, onLoadOlder })
  const groups = useMemo(() => groupMessages(messages, firstNew), [messages, firstNew])
  const lastOwn = messages.findLast((message) => message.isOwn)?.id
  const missed = useMissed(messages, scroll.isAtBottom)

  useEffect(() => onAtBottom(scroll.isAtBottom), [scroll.isAtBottom, onAtBottom])

  return (
    <div className="thread-body">
      <section
        ref={scroll.container}
        className="messages"
        aria-label="Messages"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
        tabIndex={0}
        onScroll={scroll.onScroll}
        onKeyDown={walkMessages}
      >
        <div ref={scroll.column} className="messages-column">
          <p className="messages-start">{startText(messages.length, hasOlder)}</p>
          {groups.map((group) => (
            <MessageGroup
              key={group.key}
              group={group}
              now={now}
              showSender={showSenders}
              lastOwn={lastOwn}
              {...actions}
            />
          ))}
          <TypingRow names={typing} />
        </div>
      </section>
      {!scroll.isAtBottom && (
        <button type="button" className="jump" data-new={missed > 0} onClick={scroll.toBottom}>
          <Icon name="down" size={18} />
          {missed > 0 ? `${missed} new` : <span className="visually-hidden">Go to the newest message</span>}
        </button>
      )}
    </div>
  )
}

function startText(count: number, hasOlder: boolean): string {
  if (hasOlder) return 'Loading older messages…'
  return count === 0 ? 'Say hello.' : 'This is where it began.'
}

/** How many messages of others came while the newest one was out of view. */
function useMissed(messages: readonly MessageItem[], isAtBottom: boolean): number {
  const seen = useRef('')
  useEffect(() => {
    if (isAtBottom) seen.current = messages.at(-1)?.id ?? ''
  }, [messages, isAtBottom])
  if (isAtBottom) return 0
  const at = messages.findIndex((message) => message.id === seen.current)
  return at < 0 ? 0 : messages.slice(at + 1).filter((message) => !message.isOwn).length
}

function walkMessages(event: KeyboardEvent<HTMLElement>): void {
  const focused = document.activeElement?.closest<HTMLElement>('[data-message]')
  if (event.key === 'Enter' && focused === event.target) {
    event.preventDefault()
    focused?.querySelector<HTMLElement>('[data-menu-button]')?.click()
    return
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step) return
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-message]')]
  const at = focused ? all.indexOf(focused) + step : all.length - 1
  const next = all[at]
  if (!next) return
  event.preventDefault()
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest' })
}

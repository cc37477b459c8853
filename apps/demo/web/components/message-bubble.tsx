import { memo } from 'react'
import type { MessageItem } from '../model/chat.ts'
import { listNames } from '../model/names.ts'
import { clockTime, fullTime } from '../model/time.ts'
import { Menu, type MenuItem } from './menu.tsx'
import { RichText } from './rich-text.tsx'
import { Ticks } from './ticks.tsx'

export interface MessageActions {
  readonly onCopy: (message: MessageItem) => void
  readonly onDelete: (message: MessageItem) => void
  readonly onRetry: (message: MessageItem) => void
  readonly onDiscard: (message: MessageItem) => void
}

interface MessageBubbleProps extends MessageActions {
  readonly message: MessageItem
  /** Says in words how far it got; for the newest message of one's own. */
  readonly showFate: boolean
}

/** Drawn again only when the message itself is another; a conversation has many of them. */
export const MessageBubble = memo(function MessageBubble({ message, showFate, ...actions }: MessageBubbleProps) {
  return (
    <li data-message={message.id} tabIndex={-1}>
      <div className="message">
        <div className={bubbleClass(message)}>
          <RichText text={message.text} />
          <span className="bubble-end">
            <time dateTime={message.at} title={fullTime(message.at)}>
              {clockTime(message.at)}
            </time>
            {message.isOwn && <Ticks delivery={message.delivery} {...readers(message)} />}
          </span>
        </div>
        <div className="message-menu">
          <Menu label="Message actions" items={menuItems(message, actions)} tabIndex={-1} />
        </div>
      </div>
      {message.delivery === 'failed' && <Failure message={message} {...actions} />}
      {showFate && <p className="message-fate">{fate(message)}</p>}
    </li>
  )
})

function Failure({ message, onRetry, onDiscard }: { message: MessageItem } & MessageActions) {
  return (
    <div className="message-failure" role="alert">
      <span>{message.failure ?? 'This message was not sent.'}</span>
      <button type="button" className="link-button" onClick={() => onRetry(message)}>
        Try again
      </button>
      <button type="button" className="link-button" onClick={() => onDiscard(message)}>
        Discard
      </button>
    </div>
  )
}

function menuItems(message: MessageItem, actions: MessageActions): MenuItem[] {
  const copy: MenuItem = { label: 'Copy text', icon: 'copy', onSelect: () => actions.onCopy(message) }
  if (message.delivery === 'failed' || message.delivery === 'pending') return [copy]
  return [copy, { label: 'Delete…', icon: 'trash', isDangerous: true, onSelect: () => actions.onDelete(message) }]
}

function bubbleClass(message: MessageItem): string {
  return ['bubble', message.isOwn && message.delivery].filter(Boolean).join(' ')
}

function readers(message: MessageItem): { detail: string } | undefined {
  if (message.readBy.length === 0 || message.delivery === 'failed') return undefined
  return { detail: `Read by ${listNames(message.readBy)}` }
}

function fate(message: MessageItem): string {
  switch (message.delivery) {
    case 'pending':
      return 'Waiting to be sent'
    case 'failed':
      return ''
    case 'sent':
    case 'delivered':
      if (message.readBy.length > 0) return `Read by ${listNames(message.readBy)}`
      return message.delivery === 'sent' ? 'Sent' : 'Delivered'
    case 'read':
      return 'Read'
  }
}

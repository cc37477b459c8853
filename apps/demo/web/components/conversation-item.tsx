import { memo } from 'react'
import type { ConversationItem as Item } from '../model/chat.ts'
import { conversationName, typingSentence } from '../model/names.ts'
import { fullTime, shortTime } from '../model/time.ts'
import { ConversationAvatar } from './avatar.tsx'
import { Ticks } from './ticks.tsx'

interface ConversationItemProps {
  readonly conversation: Item
  readonly isSelected: boolean
  readonly now: Date
  readonly onOpen: (id: string) => void
}

export const ConversationItem = memo(function ConversationItem(props: ConversationItemProps) {
  const { conversation, isSelected, now, onOpen } = props
  const { unread } = conversation
  const at = conversation.last?.at ?? conversation.createdAt
  return (
    <li className={unread > 0 ? 'has-unread' : undefined}>
      <button
        type="button"
        className="conversation-item"
        aria-current={isSelected}
        data-conversation={conversation.id}
        onClick={() => onOpen(conversation.id)}
      >
        <ConversationAvatar others={conversation.others} />
        <span>
          <span className="conversation-line">
            <span className="conversation-name">{conversationName(conversation)}</span>
            {at && (
              <time className="conversation-time" dateTime={at} title={fullTime(at)}>
                {shortTime(at, now)}
              </time>
            )}
          </span>
          <span className="conversation-line">
            <LastLine conversation={conversation} />
            {unread > 0 && (
              <span className="badge">
                {unread > 99 ? '99+' : unread}
                <span className="visually-hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </button>
    </li>
  )
})

function LastLine({ conversation }: { conversation: Item }) {
  const { last, others, typing } = conversation
  if (typing.length > 0) {
    return (
      <span className="conversation-last">
        <span className="ellipsis typing">{others.length > 1 ? typingSentence(typing) : 'typing…'}</span>
      </span>
    )
  }
  if (!last) {
    return <span className="conversation-last">No messages yet</span>
  }
  const prefix = last.isOwn ? '' : others.length > 1 ? `${last.senderName}: ` : ''
  return (
    <span className="conversation-last">
      {last.isOwn && <Ticks delivery={last.delivery} />}
      <span className="ellipsis">{prefix + last.text}</span>
    </span>
  )
}

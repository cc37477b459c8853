import type { KeyboardEvent } from 'react'
import type { ConversationItem as Item } from '../model/chat.ts'
import { ConversationItem } from './conversation-item.tsx'
import { useLatest } from './use-latest.ts'

interface ConversationListProps {
  readonly conversations: readonly Item[]
  readonly selected: string | undefined
  readonly now: Date
  readonly emptyText: string
  readonly onOpen: (id: string) => void
}

export function ConversationList(props: ConversationListProps) {
  const { conversations, selected, now, emptyText } = props
  const onOpen = useLatest(props.onOpen)
  return (
    <nav className="conversation-list" aria-label="Conversations">
      {conversations.length === 0 && <p className="conversation-none">{emptyText}</p>}
      <ul onKeyDown={moveByArrows}>
        {conversations.map((conversation) => (
          <ConversationItem
            key={conversation.id}
            conversation={conversation}
            isSelected={conversation.id === selected}
            now={now}
            onOpen={onOpen}
          />
        ))}
      </ul>
    </nav>
  )
}

function moveByArrows(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step) return
  event.preventDefault()
  const buttons = [...event.currentTarget.querySelectorAll('button')]
  buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step]?.focus()
}

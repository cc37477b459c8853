import type { RefObject } from 'react'
import type { ConversationItem } from '../model/chat.ts'
import { conversationName, listNames, typingSentence } from '../model/names.ts'
import { ConversationAvatar } from './avatar.tsx'
import { Icon } from './icon.tsx'
import { Menu, type MenuItem } from './menu.tsx'

interface ThreadHeaderProps {
  readonly conversation: ConversationItem
  readonly heading: RefObject<HTMLHeadingElement | null>
  readonly onBack: () => void
  readonly onPeople: () => void
  readonly onRename: () => void
  readonly onDelete: () => void
  readonly onLeave: () => void
}

export function ThreadHeader({ conversation, heading, onBack, ...props }: ThreadHeaderProps) {
  const typing = typingSentence(conversation.typing)
  return (
    <header className="thread-head">
      <button type="button" className="icon-button back" aria-label="Back to the conversations" onClick={onBack}>
        <Icon name="back" />
      </button>
      <ConversationAvatar others={conversation.others} size="medium" />
      <div className="thread-title">
        <h2 ref={heading} tabIndex={-1}>
          {conversationName(conversation)}
        </h2>
        <p className={typing ? 'typing' : undefined}>{typing || who(conversation)}</p>
      </div>
      <Menu label="Conversation" items={menuItems(conversation, props)} />
    </header>
  )
}

function who({ others, title }: ConversationItem): string {
  if (others.length === 0) return 'Nobody else is here'
  if (others.length === 1) return title ? `You and ${others[0]?.name}` : `@${others[0]?.userId}`
  const names = others.map((person) => person.name)
  return title ? `You, ${listNames(names, 4)}` : `${others.length + 1} people`
}

type Actions = Omit<ThreadHeaderProps, 'conversation' | 'heading' | 'onBack'>

function menuItems({ isMember }: ConversationItem, actions: Actions): MenuItem[] {
  const remove: MenuItem = {
    label: 'Delete…',
    icon: 'trash',
    isDangerous: true,
    startsSection: isMember,
    onSelect: actions.onDelete,
  }
  if (!isMember) return [remove]
  return [
    { label: 'People', icon: 'people', onSelect: actions.onPeople },
    { label: 'Rename', icon: 'edit', onSelect: actions.onRename },
    { label: 'Leave', icon: 'leave', onSelect: actions.onLeave },
    remove,
  ]
}

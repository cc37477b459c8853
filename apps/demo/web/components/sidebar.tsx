import { useState } from 'react'
import type { ConnectionState, ConversationItem, Person } from '../model/chat.ts'
import { conversationName } from '../model/names.ts'
import { Avatar } from './avatar.tsx'
import { Brand } from './brand.tsx'
import { ConnectionLabel } from './connection-label.tsx'
import { ConversationList } from './conversation-list.tsx'
import { Icon } from './icon.tsx'
import { Menu } from './menu.tsx'
import { OfflineSwitch } from './offline-switch.tsx'
import { SyncProgress } from './sync-progress.tsx'

export interface SidebarProps {
  readonly me: Person
  readonly conversations: readonly ConversationItem[]
  readonly selected: string | undefined
  readonly connection: ConnectionState
  /** The offline switch stands on offline. */
  readonly isCut: boolean
  readonly sync: { readonly done: number; readonly total: number } | undefined
  readonly now: Date
  readonly onOpen: (id: string) => void
  readonly onNew: () => void
  readonly onSwitch: (isOnline: boolean) => void
  readonly onSignOut: () => void
}

export function Sidebar(props: SidebarProps) {
  const [filter, setFilter] = useState('')
  const shown = props.conversations.filter((conversation) => matches(conversation, filter))
  return (
    <aside className="sidebar" aria-label="Your conversations">
      <header className="sidebar-head">
        <h1>
          <Brand />
        </h1>
        <button
          type="button"
          className="icon-button"
          aria-label="New conversation"
          title="New conversation"
          onClick={props.onNew}
        >
          <Icon name="add" />
        </button>
      </header>
      <div className="search">
        <Icon name="search" size={18} />
        <input
          type="search"
          className="input"
          aria-label="Find a conversation"
          placeholder="Find a conversation"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      </div>
      <ConversationList
        conversations={shown}
        selected={props.selected}
        now={props.now}
        emptyText={filter ? 'Nothing found.' : 'No conversations yet. Start one with the + above.'}
        onOpen={props.onOpen}
      />
      {props.sync && <SyncProgress {...props.sync} />}
      <footer className="me">
        <Avatar person={props.me} size="medium" />
        <div>
          <div className="me-name">{props.me.name}</div>
          <ConnectionLabel state={props.connection} />
        </div>
        <OfflineSwitch isOnline={!props.isCut} onChange={props.onSwitch} />
        <Menu label="Your account" items={[{ label: 'Sign out', icon: 'signOut', onSelect: props.onSignOut }]} />
      </footer>
    </aside>
  )
}

function matches(conversation: ConversationItem, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const people = conversation.others.map((person) => `${person.name} ${person.userId}`)
  const haystack = [conversationName(conversation), ...people].join(' ').toLowerCase()
  return words.every((word) => haystack.includes(word))
}

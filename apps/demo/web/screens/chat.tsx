import type { BasicIdentity, Client } from '@parley/client'
import { useState } from 'react'
import { ChatEmpty } from '../components/chat-empty.tsx'
import { LiveRegion } from '../components/live-region.tsx'
import { type NewConversation, NewConversationDialog } from '../components/new-conversation-dialog.tsx'
import { Sidebar } from '../components/sidebar.tsx'
import { SignOutDialog } from '../components/sign-out-dialog.tsx'
import { Toasts } from '../components/toasts.tsx'
import type { ConversationItem, Person } from '../model/chat.ts'
import { personName } from '../model/names.ts'
import { faultText } from '../parley/fault-text.ts'
import { useAnnouncement } from '../parley/use-announcement.ts'
import { useClientValue } from '../parley/use-client-value.ts'
import { useConnection } from '../parley/use-connection.ts'
import { useConversations } from '../parley/use-conversations.ts'
import { useNow } from '../parley/use-now.ts'
import { useRefusals } from '../parley/use-refusals.ts'
import { useRoute } from '../parley/use-route.ts'
import { useSignOut } from '../parley/use-sign-out.ts'
import { useToasts } from '../parley/use-toasts.ts'
import { useTyping } from '../parley/use-typing.ts'
import { OpenConversation } from './open-conversation.tsx'

interface ChatProps {
  readonly client: Client
  readonly identity: BasicIdentity
  readonly onSignedOut: () => Promise<void>
}

/** The list on one side, the open conversation on the other. */
export function Chat({ client, identity, onSignedOut }: ChatProps) {
  const { toasts, show, close } = useToasts()
  const [openId, open] = useRoute()
  const [isStarting, setStarting] = useState(false)
  const [drafts, setDrafts] = useState<Readonly<Record<string, string>>>({})
  const now = useNow()
  const connection = useConnection(client)
  const { conversations } = useConversations(client, identity.id, useTyping(client))
  const history = useClientValue(client, ['history', 'state'], (each) => each.history)
  const signOut = useSignOut(client, onSignedOut, show)
  const announcement = useAnnouncement(conversations)
  useRefusals(client, openId, open, show)

  const me = toMe(identity)
  const opened = conversations.find((conversation) => conversation.id === openId)
  const start = async ({ userIds, title }: NewConversation) => {
    try {
      const metadata = title ? { metadata: { title } } : {}
      const { id } = await client.createConversation({ participants: userIds, distinct: title === '', ...metadata })
      setStarting(false)
      open(id)
    } catch (error) {
      show(faultText(error))
    }
  }

  return (
    <>
      <button type="button" className="skip-link" onClick={skipToThread}>
        Skip to the conversation
      </button>
      <div className="chat" data-open={opened !== undefined}>
        <Sidebar
          me={me}
          conversations={conversations}
          selected={openId}
          connection={connection.state}
          isCut={connection.isCut}
          sync={toSync(history)}
          now={now}
          onOpen={(id) => (id === openId ? skipToThread() : open(id))}
          onNew={() => setStarting(true)}
          onSwitch={connection.setOnline}
          onSignOut={signOut.start}
        />
        {opened ? (
          <OpenConversation
            key={opened.id}
            client={client}
            me={me}
            conversation={opened}
            connection={connection.state}
            draft={drafts[opened.id] ?? ''}
            now={now}
            onDraft={(draft) => setDrafts((all) => ({ ...all, [opened.id]: draft }))}
            onBack={() => open(undefined)}
            onFault={show}
          />
        ) : (
          <ChatEmpty onNew={() => setStarting(true)} />
        )}
      </div>
      {isStarting && (
        <NewConversationDialog
          suggestions={acquaintances(conversations)}
          onCreate={start}
          onClose={() => setStarting(false)}
        />
      )}
      {signOut.unsent && (
        <SignOutDialog
          unsent={signOut.unsent}
          onKeep={signOut.keepAndLeave}
          onDiscard={signOut.discardAndLeave}
          onClose={signOut.cancel}
        />
      )}
      <Toasts toasts={toasts} onClose={close} />
      <LiveRegion text={announcement} />
    </>
  )
}

function toMe(identity: BasicIdentity): Person {
  const { id, user_id: userId, display_name: name } = identity
  return { id, userId, name: personName(name, userId) }
}

/** Everybody one has a conversation with, to be picked for a new one. */
function acquaintances(conversations: readonly ConversationItem[]): Person[] {
  const people = new Map(conversations.flatMap(({ others }) => others.map((person) => [person.id, person])))
  return [...people.values()].slice(0, 8)
}

function toSync({ state, conversationsDone, conversationsTotal }: Client['history']) {
  if (state !== 'running' || conversationsDone === conversationsTotal) return undefined
  return { done: conversationsDone, total: conversationsTotal }
}

function skipToThread(): void {
  const find = (selector: string) => document.querySelector<HTMLElement>(`#thread ${selector}`)
  const target = find('textarea') ?? find('.messages') ?? find('button')
  target?.focus()
}

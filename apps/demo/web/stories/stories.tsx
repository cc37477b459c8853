/** Every screen with invented people, to look at without a server. Not part of the product. */
import { createRoot } from 'react-dom/client'
import { ChatEmpty } from '../components/chat-empty.tsx'
import { NewConversationDialog } from '../components/new-conversation-dialog.tsx'
import { PeopleDialog } from '../components/people-dialog.tsx'
import { Sidebar } from '../components/sidebar.tsx'
import { Thread } from '../components/thread.tsx'
import { Toasts } from '../components/toasts.tsx'
import type { ConnectionState } from '../model/chat.ts'
import { SignIn } from '../screens/sign-in.tsx'
import { alice, conversations, messages, now, troubled } from './fixtures.ts'

const nothing = () => {}
const story = location.hash.slice(1) || 'chat'

function Chat({ connection = 'online', trouble = false }: { connection?: ConnectionState; trouble?: boolean }) {
  const selected = location.search === '?list' ? undefined : conversations[0]
  const long = location.search === '?long' ? 'A long thought. '.repeat(118) : ''
  return (
    <div className="chat" data-open={selected !== undefined}>
      <Sidebar
        me={alice}
        conversations={story === 'nobody' ? [] : conversations}
        selected={selected?.id}
        connection={connection}
        isCut={connection === 'offline'}
        sync={trouble ? { done: 4, total: 7 } : undefined}
        now={now}
        onOpen={nothing}
        onNew={nothing}
        onSwitch={nothing}
        onSignOut={nothing}
      />
      {selected && story !== 'nobody' ? (
        <Thread
          me={alice}
          conversation={trouble ? { ...selected, typing: ['Cleo', 'Dana'] } : selected}
          messages={trouble ? troubled : messages}
          firstNew="m8"
          hasOlder={trouble}
          draft={long}
          connection={connection}
          waiting={trouble ? 2 : 0}
          now={now}
          onSend={nothing}
          onDraft={nothing}
          onLoadOlder={nothing}
          onAtBottom={nothing}
          onRetry={nothing}
          onDiscard={nothing}
          onCopy={nothing}
          onDeleteMessage={nothing}
          onDelete={nothing}
          onLeave={nothing}
          onRename={nothing}
          onAddPeople={nothing}
          onRemovePerson={nothing}
          onBack={nothing}
        />
      ) : (
        <ChatEmpty onNew={nothing} />
      )}
    </div>
  )
}

const stories: Record<string, () => React.ReactNode> = {
  chat: () => <Chat />,
  offline: () => <Chat connection="offline" trouble />,
  nobody: () => <Chat connection="connecting" />,
  'sign-in': () => <SignIn signUpUrl="#" fault={undefined} isBusy={false} onSignIn={nothing} />,
  refused: () => (
    <SignIn signUpUrl="#" fault="That user and password do not go together." isBusy={false} onSignIn={nothing} />
  ),
  new: () => (
    <>
      <Chat />
      <NewConversationDialog suggestions={conversations[0]?.others ?? []} onCreate={nothing} onClose={nothing} />
      <Toasts toasts={[{ id: 1, text: 'You are offline. Signing out needs a connection.' }]} onClose={nothing} />
    </>
  ),
  people: () => (
    <>
      <Chat />
      <PeopleDialog
        me={alice}
        others={conversations[0]?.others ?? []}
        onAdd={nothing}
        onRemove={nothing}
        onClose={nothing}
      />
    </>
  ),
}

createRoot(document.querySelector('#root')!).render(stories[story]?.())

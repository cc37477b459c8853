import { useEffect, useRef, useState } from 'react'
import type { ConnectionState, ConversationItem, DeletionMode, MessageItem, Person } from '../model/chat.ts'
import { conversationName } from '../model/names.ts'
import { Composer } from './composer.tsx'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { MessageList } from './message-list.tsx'
import { PeopleDialog } from './people-dialog.tsx'
import { RenameDialog } from './rename-dialog.tsx'
import { StatusBar } from './status-bar.tsx'
import { ThreadHeader } from './thread-header.tsx'

/** What can be done in a conversation. */
export interface ThreadActions {
  readonly onSend: (text: string) => void
  readonly onDraft: (draft: string) => void
  readonly onLoadOlder: () => void
  readonly onAtBottom: (isAtBottom: boolean) => void
  readonly onRetry: (message: MessageItem) => void
  readonly onDiscard: (message: MessageItem) => void
  readonly onCopy: (message: MessageItem) => void
  readonly onDeleteMessage: (message: MessageItem, mode: DeletionMode) => void
  readonly onDelete: (mode: DeletionMode) => void
  readonly onLeave: () => void
  readonly onRename: (title: string) => void
  readonly onAddPeople: (userIds: readonly string[]) => void
  readonly onRemovePerson: (person: Person) => void
  readonly onBack: () => void
}

export interface ThreadProps extends ThreadActions {
  readonly me: Person
  readonly conversation: ConversationItem
  readonly messages: readonly MessageItem[]
  readonly firstNew: string | undefined
  readonly hasOlder: boolean
  readonly draft: string
  readonly connection: ConnectionState
  readonly waiting: number
  readonly now: Date
}

type Question = 'people' | 'rename' | 'delete' | 'leave' | MessageItem | undefined

/** One conversation: who, what was said, and a place to answer. */
export function Thread(props: ThreadProps) {
  const { conversation, connection, messages } = props
  const [question, ask] = useState<Question>()
  const heading = useRef<HTMLHeadingElement>(null)
  const close = () => ask(undefined)

  // Ready to write; but on a phone the keyboard would cover what there is to read.
  useEffect(() => {
    const canHover = matchMedia('(hover: hover)').matches
    const field = canHover && document.querySelector<HTMLElement>('#thread textarea')
    ;(field || heading.current)?.focus()
  }, [])

  return (
    <main id="thread" className="thread" aria-label={conversationName(conversation)}>
      <ThreadHeader
        conversation={conversation}
        heading={heading}
        onBack={props.onBack}
        onPeople={() => ask('people')}
        onRename={() => ask('rename')}
        onDelete={() => ask('delete')}
        onLeave={() => ask('leave')}
      />
      <StatusBar connection={connection} waiting={props.waiting} />
      <MessageList
        messages={messages}
        typing={conversation.typing}
        firstNew={props.firstNew}
        hasOlder={props.hasOlder}
        showSenders={conversation.others.length > 1}
        now={props.now}
        onLoadOlder={props.onLoadOlder}
        onAtBottom={props.onAtBottom}
        onCopy={props.onCopy}
        onRetry={props.onRetry}
        onDiscard={props.onDiscard}
        onDelete={ask}
      />
      {conversation.isMember ? (
        <Composer
          draft={props.draft}
          placeholder={connection === 'offline' ? 'Write now, it goes out later' : 'Message'}
          onChange={props.onDraft}
          onSend={props.onSend}
        />
      ) : (
        <p className="composer-closed">You were taken out of this conversation. What was said before stays here.</p>
      )}
      <Questions {...props} question={question} onClose={close} />
    </main>
  )
}

function Questions({ question, onClose, ...props }: ThreadProps & { question: Question; onClose: () => void }) {
  const { conversation } = props
  switch (question) {
    case undefined:
      return null
    case 'people':
      return (
        <PeopleDialog
          me={props.me}
          others={conversation.others}
          onAdd={props.onAddPeople}
          onRemove={props.onRemovePerson}
          onClose={onClose}
        />
      )
    case 'rename':
      return <RenameDialog title={conversation.title} onRename={props.onRename} onClose={onClose} />
    case 'leave':
      return (
        <ConfirmDialog
          title="Leave this conversation?"
          text="It goes from all your devices. The others see that you left."
          choices={[{ label: 'Leave', isDangerous: true, onChoose: props.onLeave }]}
          onClose={onClose}
        />
      )
    case 'delete':
      return (
        <ConfirmDialog
          title="Delete this conversation?"
          text="For you: it goes from your devices and returns with the next message. For all: it is gone for everybody."
          choices={deletions(conversation.isMember, props.onDelete)}
          onClose={onClose}
        />
      )
    default:
      return (
        <ConfirmDialog
          title="Delete this message?"
          text="For you: it goes from your devices. For all: it is gone for everybody."
          choices={deletions(conversation.isMember, (mode) => props.onDeleteMessage(question, mode))}
          onClose={onClose}
        />
      )
  }
}

function deletions(isMember: boolean, remove: (mode: DeletionMode) => void) {
  const forMe = { label: 'For me', onChoose: () => remove('my_devices') }
  const forAll = { label: 'For all', isDangerous: true, onChoose: () => remove('all_participants') }
  return isMember ? [forMe, forAll] : [forMe]
}

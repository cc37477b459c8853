import type { Client } from '@parley/client'
import { useMemo } from 'react'
import { Thread } from '../components/thread.tsx'
import type { ConnectionState, ConversationItem, Person } from '../model/chat.ts'
import { faultText } from '../parley/fault-text.ts'
import { toMessageItem } from '../parley/to-items.ts'
import { useMessages } from '../parley/use-messages.ts'
import { useReading } from '../parley/use-reading.ts'

interface OpenConversationProps {
  readonly client: Client
  readonly me: Person
  readonly conversation: ConversationItem
  readonly connection: ConnectionState
  readonly draft: string
  readonly now: Date
  readonly onDraft: (draft: string) => void
  readonly onBack: () => void
  readonly onFault: (text: string) => void
}

/** Connects one conversation's screen with the client's verbs. */
export function OpenConversation({ client, conversation, onFault, onDraft, onBack, ...props }: OpenConversationProps) {
  const { messages, hasOlder, loadOlder } = useMessages(client, conversation.id)
  const { firstNew, onAtBottom } = useReading(client, conversation.id, messages)
  const { others } = conversation
  const items = useMemo(() => messages.map((message) => toMessageItem(message, others)), [messages, others])
  const verbs = client.conversation(conversation.id)

  const attempt = (work: Promise<unknown>) => void work.catch((error) => onFault(faultText(error)))
  const write = (draft: string) => {
    onDraft(draft)
    if (draft) verbs.typing()
    else verbs.stopTyping()
  }
  const send = (text: string) => {
    onDraft('')
    verbs.sendText(text).catch((error) => {
      onDraft(text)
      onFault(faultText(error))
    })
  }
  const leaveWith = (work: Promise<unknown>) => {
    attempt(work)
    onBack()
  }

  return (
    <Thread
      {...props}
      conversation={conversation}
      messages={items}
      firstNew={firstNew}
      hasOlder={hasOlder}
      waiting={items.filter((item) => item.delivery === 'pending').length}
      onSend={send}
      onDraft={write}
      onLoadOlder={loadOlder}
      onAtBottom={onAtBottom}
      onRetry={({ operationId }) => operationId && attempt(client.outbox.retry(operationId))}
      onDiscard={({ operationId }) => operationId && attempt(client.outbox.discard(operationId))}
      onCopy={(message) => attempt(navigator.clipboard.writeText(message.text))}
      onDeleteMessage={(message, mode) => attempt(verbs.deleteMessage(message.id, mode))}
      onDelete={(mode) => leaveWith(verbs.delete(mode))}
      onLeave={() => leaveWith(verbs.leave())}
      onRename={(title) => attempt(title ? verbs.setMetadata({ title }) : verbs.deleteMetadata(['title']))}
      onAddPeople={(userIds) => attempt(verbs.addParticipants(userIds))}
      onRemovePerson={(person) => attempt(verbs.removeParticipants([person.userId]))}
      onBack={onBack}
    />
  )
}

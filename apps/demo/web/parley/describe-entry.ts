import type { OutboxEntry } from '@parley/client'

const labels: Record<OutboxEntry['name'], string> = {
  'create-conversation': 'A new conversation',
  'send-message': 'A message',
  'mark-messages': 'What you have read',
  'update-conversation': 'A change of a conversation',
  'delete-conversation': 'A conversation to be deleted',
  'delete-message': 'A message to be deleted',
}

/** Something that was asked for and not carried out, in words: the text itself where there is one. */
export function describeEntry({ name, input }: OutboxEntry): string {
  const texts = 'parts' in input ? input.parts.map((part) => part.body).join('\n') : ''
  return texts || labels[name]
}

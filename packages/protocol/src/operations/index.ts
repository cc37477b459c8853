/** The table of operations: everything an authenticated client can ask for that changes something. */
import type { CreateConversationInput, CreateConversationResult } from './create-conversation.ts'
import { createConversation } from './create-conversation.ts'
import { type DeleteConversationInput, deleteConversation } from './delete-conversation.ts'
import { type DeleteMessageInput, deleteMessage } from './delete-message.ts'
import { type MarkMessagesInput, markMessages } from './mark-messages.ts'
import { type SendMessageInput, type SendMessageResult, sendMessage } from './send-message.ts'
import { type UpdateConversationInput, updateConversation } from './update-conversation.ts'

/** Name → schema of its input. */
export const operationSchemas = {
  'create-conversation': createConversation,
  'send-message': sendMessage,
  'mark-messages': markMessages,
  'update-conversation': updateConversation,
  'delete-conversation': deleteConversation,
  'delete-message': deleteMessage,
} as const

export type OperationName = keyof typeof operationSchemas

/** Name → input as it travels. */
export interface OperationInputs {
  'create-conversation': CreateConversationInput
  'send-message': SendMessageInput
  'mark-messages': MarkMessagesInput
  'update-conversation': UpdateConversationInput
  'delete-conversation': DeleteConversationInput
  'delete-message': DeleteMessageInput
}

/** Name → what the acknowledgement's `result` holds. */
export interface OperationResults {
  'create-conversation': CreateConversationResult
  'send-message': SendMessageResult
  'mark-messages': Record<string, never>
  'update-conversation': Record<string, never>
  'delete-conversation': Record<string, never>
  'delete-message': Record<string, never>
}

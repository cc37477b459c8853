export * from './conversation-patch.ts'
export * from './errors.ts'
export * from './frames/down.ts'
export * from './frames/up.ts'
export * from './frames/version.ts'
export * from './ids.ts'
export * from './json.ts'
export * from './limits.ts'
export * from './metadata.ts'
export type {
  CreateConversation,
  CreateConversationInput,
  CreateConversationResult,
} from './operations/create-conversation.ts'
export type { DeleteConversation, DeleteConversationInput, DeletionMode } from './operations/delete-conversation.ts'
export type { DeleteMessage, DeleteMessageInput } from './operations/delete-message.ts'
export * from './operations/index.ts'
export type { MarkMessages, MarkMessagesInput } from './operations/mark-messages.ts'
export {
  partBytes,
  type SendMessage,
  type SendMessageInput,
  type SendMessageResult,
} from './operations/send-message.ts'
export type { UpdateConversation, UpdateConversationInput } from './operations/update-conversation.ts'
export * from './part.ts'
export * from './patch.ts'
export * from './position-set.ts'
export * from './receipts.ts'
export * from './rows.ts'

import { type OperationName, operationSchemas } from '@parley/protocol'
import { createConversation } from './create-conversation.ts'
import { deleteConversation } from './delete-conversation.ts'
import { deleteMessage } from './delete-message.ts'
import { markMessages } from './mark-messages.ts'
import { sendMessage } from './send-message.ts'
import { updateConversation } from './update-conversation.ts'

/** Every operation a client can name: its schema (what may come in) and its far half (what it does). */
export const operations = {
  'create-conversation': { schema: operationSchemas['create-conversation'], operation: createConversation },
  'send-message': { schema: operationSchemas['send-message'], operation: sendMessage },
  'mark-messages': { schema: operationSchemas['mark-messages'], operation: markMessages },
  'update-conversation': { schema: operationSchemas['update-conversation'], operation: updateConversation },
  'delete-conversation': { schema: operationSchemas['delete-conversation'], operation: deleteConversation },
  'delete-message': { schema: operationSchemas['delete-message'], operation: deleteMessage },
} as const satisfies Record<OperationName, unknown>

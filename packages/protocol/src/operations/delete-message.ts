import * as v from 'valibot'
import { deletionMode } from './delete-conversation.ts'
import * as s from './schemas.ts'

/** Deletes one message, for all or from the caller's devices. There is no way back. */
export const deleteMessage = v.object({ conversation: s.conversation, message: s.message, mode: deletionMode })

export type DeleteMessage = v.InferOutput<typeof deleteMessage>
export type DeleteMessageInput = v.InferInput<typeof deleteMessage>

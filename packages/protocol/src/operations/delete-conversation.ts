import * as v from 'valibot'
import * as s from './schemas.ts'

/** `all_participants`: gone everywhere. `my_devices`: gone for the caller, on all their devices. */
export const deletionMode = v.picklist(['all_participants', 'my_devices'])

/** Deletes a conversation; with `leave` the caller also stops being a participant. */
export const deleteConversation = v.object({
  conversation: s.conversation,
  mode: deletionMode,
  /** Only with `my_devices`. */
  leave: v.optional(v.boolean(), false),
})

export type DeletionMode = v.InferOutput<typeof deletionMode>
export type DeleteConversation = v.InferOutput<typeof deleteConversation>
export type DeleteConversationInput = v.InferInput<typeof deleteConversation>

import * as v from 'valibot'
import { limits } from '../limits.ts'
import * as s from './schemas.ts'

/** A Layer-Patch as it arrives; what its properties mean is checked by `patchConversation`. */
export const patch = s.list(
  v.object({
    operation: v.picklist(['set', 'delete', 'add', 'remove']),
    property: v.pipe(s.text, v.maxLength(2048)),
    value: v.optional(v.unknown()),
    id: v.optional(s.text),
  }),
  limits.maxPatchOperations,
)

/** Changes who takes part, or the metadata, of a conversation; in order, all or nothing. */
export const updateConversation = v.object({ conversation: s.conversation, patch })

export type UpdateConversation = v.InferOutput<typeof updateConversation>
export type UpdateConversationInput = v.InferInput<typeof updateConversation>

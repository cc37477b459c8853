import { createConversation } from '../create-conversation.ts'
import type { RequestHandler } from './request.ts'

/** A found distinct conversation is a success that bears another id than the one asked for. */
export const conversationCreate: RequestHandler = {
  async begin({ desk, session, data }) {
    const outcome = await createConversation(desk.edge, session, data)
    return 'refusal' in outcome ? outcome : { data: outcome.conversation }
  },
}

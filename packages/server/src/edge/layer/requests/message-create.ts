import { parseConversationId, refuse } from '@parley/protocol'
import { sendMessage } from '../send-message.ts'
import type { RequestHandler } from './request.ts'

export const messageCreate: RequestHandler = {
  async begin({ desk, session, objectId, data }) {
    const conversation = typeof objectId === 'string' ? parseConversationId(objectId) : undefined
    if (!conversation) return refuse('not_found', { message: 'There is no such conversation.' })
    const outcome = await sendMessage(desk.edge, session, conversation, data)
    return 'refusal' in outcome ? outcome : { data: outcome.message }
  },
}

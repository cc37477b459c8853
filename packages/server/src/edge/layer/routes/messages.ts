import { parseMessageId } from '@parley/protocol'
import type { FastifyInstance } from 'fastify'
import type { Edge } from '../../edge.ts'
import { accepted } from '../../http/refused-request.ts'
import { findConversation, readMessage } from '../reads.ts'
import { sendMessage } from '../send-message.ts'
import { submit } from '../submit.ts'
import { messageIn, toSight } from '../views/conversation.ts'
import { existing, signedIn, uuidParam } from './call.ts'
import { deletionMode } from './conversations.ts'
import { fromId, pageSize, sendList } from './page.ts'

/** Messages: list, send, look up, delete. */
export function messageRoutes(http: FastifyInstance, edge: Edge): void {
  const { lists } = edge.store

  http.get(
    '/conversations/:uuid/messages',
    signedIn(edge, async ({ session, request, reply }) => {
      const { app, userId } = session
      const id = uuidParam(request)
      const page = { from: fromId(request, parseMessageId), limit: pageSize(request) }
      const stored = existing(await findConversation(edge, session, id), 'There is no such conversation.')
      const { total, items } = existing(await lists.messages(app, id, userId, page))
      return sendList(reply, { total, items: items.map((item) => messageIn(edge.baseUrl(), toSight(stored), item)) })
    }),
  )

  http.post(
    '/conversations/:uuid/messages',
    signedIn(edge, async ({ session, request, reply }) => {
      const { message } = accepted(await sendMessage(edge, session, uuidParam(request), request.body))
      return reply.code(201).header('location', message.url).send(message)
    }),
  )

  http.get(
    '/messages/:uuid',
    signedIn(edge, async ({ session, request }) =>
      existing(await readMessage(edge, session, uuidParam(request)), 'There is no such message.'),
    ),
  )

  http.delete(
    '/messages/:uuid',
    signedIn(edge, async ({ session, request, reply }) => {
      const id = uuidParam(request)
      const mode = deletionMode(request)
      const { conversation } = existing(await lists.message(session.app, id), 'There is no such message.')
      accepted(await submit(edge, session, 'delete-message', { conversation, message: id, mode }))
      return reply.code(204).send()
    }),
  )
}

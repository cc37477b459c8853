import { invalidProperty, parseConversationId } from '@parley/protocol'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Edge } from '../../edge.ts'
import { accepted, RefusedRequest } from '../../http/refused-request.ts'
import { createConversation } from '../create-conversation.ts'
import { readConversation } from '../reads.ts'
import { submit } from '../submit.ts'
import { conversationView, toSight } from '../views/conversation.ts'
import { type Call, existing, signedIn, uuidParam } from './call.ts'
import { fromId, pageSize, parameter, sendList } from './page.ts'

const PATCH_TYPE = 'application/vnd.layer-patch+json'

/** Conversations: list, look up, create, patch, delete. */
export function conversationRoutes(http: FastifyInstance, edge: Edge): void {
  http.get(
    '/conversations',
    signedIn(edge, async ({ session, request, reply }) => {
      const sortBy = parameter(request, 'sort_by') ?? 'created_at'
      if (sortBy !== 'created_at' && sortBy !== 'last_message') {
        throw new RefusedRequest(invalidProperty('sort_by', 'Sort by created_at or last_message.').refusal)
      }
      const page = { sortBy, from: fromId(request, parseConversationId), limit: pageSize(request) } as const
      const { total, items } = await edge.store.lists.conversations(session.app, session.userId, page)
      return sendList(reply, { total, items: items.map((item) => conversationView(edge.baseUrl(), toSight(item))) })
    }),
  )

  http.post(
    '/conversations',
    signedIn(edge, async ({ session, request, reply }) => {
      const { conversation, isNew } = accepted(await createConversation(edge, session, request.body))
      return reply
        .code(isNew ? 201 : 200)
        .header('location', conversation.url)
        .send(conversation)
    }),
  )

  http.get(
    '/conversations/:uuid',
    signedIn(edge, async ({ session, request }) =>
      existing(await readConversation(edge, session, uuidParam(request)), 'There is no such conversation.'),
    ),
  )

  const patch = signedIn(edge, async ({ session, request, reply }: Call) => {
    const conversation = uuidParam(request)
    if (!Array.isArray(request.body)) throw new RefusedRequest({ id: 'invalid_request', message: 'A patch is a list.' })
    accepted(await submit(edge, session, 'update-conversation', { conversation, patch: request.body }))
    return reply.code(204).send()
  })
  http.patch('/conversations/:uuid', patch)
  http.post('/conversations/:uuid', async (request, reply) => {
    requirePatchOverride(request)
    return patch(request, reply)
  })

  http.delete(
    '/conversations/:uuid',
    signedIn(edge, async ({ session, request, reply }) => {
      const deletion = { conversation: uuidParam(request), mode: deletionMode(request), leave: isLeaving(request) }
      accepted(await submit(edge, session, 'delete-conversation', deletion))
      return reply.code(204).send()
    }),
  )
}

/** For those who cannot send PATCH; anything else is not offered at this address. */
function requirePatchOverride(request: FastifyRequest): void {
  if (String(request.headers['x-http-method-override'] ?? '').toUpperCase() !== 'PATCH') {
    throw new RefusedRequest({ id: 'method_not_allowed' })
  }
  if (!request.headers['content-type']?.startsWith(PATCH_TYPE)) {
    throw new RefusedRequest({ id: 'invalid_header', data: { header: 'Content-Type' } })
  }
}

/** `destroy=true` is the old name of `mode=all_participants`. */
export function deletionMode(request: FastifyRequest): string | undefined {
  return parameter(request, 'mode') ?? (parameter(request, 'destroy') === 'true' ? 'all_participants' : undefined)
}

function isLeaving(request: FastifyRequest): boolean {
  const leave = parameter(request, 'leave') ?? 'false'
  if (leave !== 'true' && leave !== 'false') accepted(invalidProperty('leave', 'Expected true or false.'))
  return leave === 'true'
}

import { identityId, limits, parseIdentityId, refuse } from '@parley/protocol'
import type { FastifyInstance } from 'fastify'
import type { Edge } from '../../edge.ts'
import { RefusedRequest } from '../../http/refused-request.ts'
import { existing, notFound, signedIn } from './call.ts'
import { identityPage, userParam } from './identities.ts'
import { sendList } from './page.ts'

/**
 * Who follows whom. Here everybody follows those they ever shared a conversation with; asking for more or less of it
 * is answered as Layer's API says, and keeps nothing yet.
 */
export function followingRoutes(http: FastifyInstance, edge: Edge): void {
  const { lists } = edge.store

  http.get(
    '/following',
    signedIn(edge, async ({ session, request, reply }) => {
      const { app, userId } = session
      const { total, items } = await lists.acquaintances(app, userId, identityPage(request))
      return sendList(reply, { total, items: items.map((profile) => identityId(profile.userId)) })
    }),
  )

  http.get(
    '/following/users/:user',
    signedIn(edge, async ({ session, request, reply }) => {
      const { app, userId } = session
      if (!(await lists.areAcquainted(app, userId, userParam(request)))) throw notFound('You do not follow them.')
      return reply.code(204).send()
    }),
  )

  http.put(
    '/following/users/:user',
    signedIn(edge, async ({ session, request, reply }) => {
      existing(await lists.profile(session.app, userParam(request)), 'There is no such identity.')
      return reply.code(204).send()
    }),
  )

  http.post(
    '/following/users',
    signedIn(edge, async ({ request, reply }) => {
      if (!isListOfUsers(request.body)) {
        throw new RefusedRequest(refuse('invalid_request', { message: 'Expected a list of user ids.' }).refusal)
      }
      return reply.code(202).send({})
    }),
  )

  // Layer's documentation has the shorter address, its SDK the longer.
  for (const path of ['/following/:user', '/following/users/:user']) {
    http.delete(
      path,
      signedIn(edge, async ({ request, reply }) => {
        userParam(request)
        return reply.code(204).send()
      }),
    )
  }
}

const isListOfUsers = (body: unknown): boolean =>
  Array.isArray(body) &&
  body.length <= limits.maxIdentityPageSize &&
  body.every((name) => typeof name === 'string' && parseIdentityId(name, { allowBare: true }) !== undefined)

import { isUserId, limits, parseIdentityId, type UserId } from '@parley/protocol'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Edge } from '../../edge.ts'
import { identityView, strangerView } from '../views/identity.ts'
import { existing, notFound, signedIn } from './call.ts'
import { fromId, pageSize, sendList } from './page.ts'

/** Identities: everybody the caller ever shared a conversation with, and anybody by id. */
export function identityRoutes(http: FastifyInstance, edge: Edge): void {
  const { lists } = edge.store

  http.get(
    '/identities',
    signedIn(edge, async ({ session, request, reply }) => {
      const { app, userId } = session
      const { total, items } = await lists.acquaintances(app, userId, identityPage(request))
      return sendList(reply, { total, items: items.map((profile) => identityView(edge.baseUrl(), profile)) })
    }),
  )

  http.get(
    '/identities/:user',
    signedIn(edge, async ({ session, request }) => {
      const { app, userId } = session
      const asked = userParam(request)
      const profile = existing(await lists.profile(app, asked), 'There is no such identity.')
      const isKnown = asked === userId || (await lists.areAcquainted(app, userId, asked))
      return (isKnown ? identityView : strangerView)(edge.baseUrl(), profile)
    }),
  )
}

/** A page of identities may be larger than one of messages. */
export function identityPage(request: FastifyRequest): { readonly from: UserId | null; readonly limit: number } {
  return { from: fromIdentity(request), limit: pageSize(request, limits.maxIdentityPageSize) }
}

/** The user id an address ends in; the router has decoded it once, which is what its encoding asks for. */
export function userParam(request: FastifyRequest): UserId {
  const user = (request.params as { user: string }).user
  if (!isUserId(user)) throw notFound('There is no such identity.')
  return user
}

/**
 * The SDK puts the identity id into the address as it is, so that the id's own escapes look like the address's: then
 * the raw text is the id. Anybody who escapes it properly is read in the usual way.
 */
function fromIdentity(request: FastifyRequest): UserId | null {
  const raw = /[?&]from_id=(layer:\/\/\/[^&#]*)/.exec(request.url)?.[1]
  return fromId(request, (text) => parseIdentityId(raw ?? text, { allowBare: true }))
}

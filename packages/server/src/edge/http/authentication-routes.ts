import { identityId } from '@parley/protocol'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Edge } from '../edge.ts'
import { basicIdentity } from '../native/encode.ts'
import { giveNonce, signIn } from '../sign-in.ts'
import { accepted, RefusedRequest } from './refused-request.ts'
import { requireSession, sessionToken } from './request-session.ts'

/** Nonces, sessions, and the two probes of reachability. The same for every client, ours and Layer's. */
export function authenticationRoutes(http: FastifyInstance, edge: Edge): void {
  const rootLinks = linksTo(edge, ['nonces', 'sessions', 'conversations', 'content'])
  const sessionLinks = linksTo(edge, ['conversations', 'content', 'websocket'])

  http.head('/ping', async (_request, reply) => reply.code(200).send())

  http.get('/', async (request, reply) => {
    if (sessionToken(request) !== undefined) await requireSession(edge, request)
    return reply.header('link', rootLinks()).send({})
  })

  http.post('/nonces', async (request, reply) => {
    const { nonce } = accepted(await giveNonce(edge, property(request, 'app_id')))
    return reply.code(201).header('cache-control', 'no-store').send({ nonce })
  })

  http.post('/sessions', async (request, reply) => {
    const identityToken = required(request, 'identity_token')
    const appId = required(request, 'app_id')
    const { origin } = request.headers
    const { session, token, profile } = accepted(await signIn(edge, { appId, identityToken, origin }))
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .header('link', sessionLinks())
      .send({
        session_token: token,
        session_id: session.id,
        expires_at: new Date(session.expiresAt).toISOString(),
        identity: {
          ...basicIdentity(profile),
          url: `${edge.baseUrl()}/identities/${identityId(profile.userId).slice(20)}`,
        },
      })
  })

  http.delete<{ Params: { token: string } }>('/sessions/:token', async (request, reply) => {
    const session = await requireSession(edge, request)
    // Layer's clients name the session by its token; ours say `current`, so that no address holds one.
    const { token } = request.params
    const named = token === 'current' ? session : await edge.sessions.find(token)
    if (!named || named.app !== session.app || named.userId !== session.userId) {
      throw new RefusedRequest({ id: 'not_found', message: 'There is no such session.' })
    }
    const refused = await edge.sessions.end(named)
    if (refused) throw new RefusedRequest(refused.refusal)
    return reply.code(204).send()
  })
}

function property(request: FastifyRequest, name: string): string | undefined {
  const { body } = request
  if (body === undefined || body === null) return undefined
  if (typeof body !== 'object' || Array.isArray(body)) throw new RefusedRequest({ id: 'invalid_request' })
  const value = Object.hasOwn(body, name) ? (body as Record<string, unknown>)[name] : undefined
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw new RefusedRequest({ id: 'invalid_property', data: { property: name } })
  return value
}

function required(request: FastifyRequest, name: string): string {
  const value = property(request, name)
  if (value === undefined) throw new RefusedRequest({ id: 'missing_property', data: { property: name } })
  return value
}

/** Where these things lead to, as a `Link` header; written anew only when the server's address has changed. */
function linksTo(edge: Edge, names: readonly string[]): () => string {
  let base: string | undefined
  let text = ''
  return () => {
    if (base === edge.baseUrl()) return text
    const found = edge.baseUrl()
    base = found
    text = names
      .map((name) => `<${name === 'websocket' ? found.replace(/^http/, 'ws') : `${found}/${name}`}>; rel=${name}`)
      .join(', ')
    return text
  }
}

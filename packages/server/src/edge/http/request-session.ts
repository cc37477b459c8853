import type { FastifyRequest } from 'fastify'
import type { Session } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import { isOriginAllowed } from '../origins.ts'
import { RefusedRequest } from './refused-request.ts'

const AUTHORIZATION = /^\s*Layer\s+session-token\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))\s*$/i

/** The token of `Authorization: Layer session-token="…"`; either kind of quotes, or none. */
export function sessionToken(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const match = AUTHORIZATION.exec(request.headers.authorization ?? '')
  return match?.[1] ?? match?.[2] ?? match?.[3]
}

/** The live session a request speaks for; otherwise it is refused, with a nonce to sign in again. */
export async function requireSession(edge: Edge, request: Pick<FastifyRequest, 'headers'>): Promise<Session> {
  const token = sessionToken(request)
  const session = token ? await edge.sessions.find(token) : undefined
  if (!session) throw new RefusedRequest({ id: 'authentication_required' })
  if (!(await isOriginAllowed(edge.store, session.app, request.headers.origin))) {
    throw new RefusedRequest({ id: 'forbidden_origin' })
  }
  return session
}

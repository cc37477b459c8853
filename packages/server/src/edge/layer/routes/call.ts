import { parseUuid, refuse, type Uuid } from '@parley/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Session } from '../../../model/state.ts'
import type { Edge } from '../../edge.ts'
import { RefusedRequest } from '../../http/refused-request.ts'
import { requireSession } from '../../http/request-session.ts'

export type Handler = (call: Call) => Promise<unknown>

/** A request of somebody who is signed in. */
export interface Call {
  readonly session: Session
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Lets only those in who are signed in. */
export const signedIn = (edge: Edge, handler: Handler) => async (request: FastifyRequest, reply: FastifyReply) =>
  handler({ session: await requireSession(edge, request), request, reply })

/** The UUID at the end of an object's address; what is none names nothing. */
export function uuidParam(request: FastifyRequest, name = 'uuid'): Uuid {
  const uuid = parseUuid((request.params as Record<string, string>)[name] ?? '')
  if (!uuid) throw notFound()
  return uuid
}

export function notFound(message = 'There is no such object.'): RefusedRequest {
  return new RefusedRequest(refuse('not_found', { message }).refusal)
}

/** The value, unless there is none: then the request ends here. */
export function existing<T>(value: T | undefined, message?: string): T {
  if (value === undefined) throw notFound(message)
  return value
}

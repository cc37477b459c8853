import { errors, type Refusal, toWireError } from '@parley/protocol'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StoreOutage } from '../../store/store.ts'
import type { Edge } from '../edge.ts'
import { outageRefusal } from '../store-outage.ts'
import { RefusedRequest } from './refused-request.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Every answer that is not a success comes from here: one shape, no stack, no text of the engine room. */
export function answerErrors(http: FastifyInstance, edge: Edge): void {
  http.setErrorHandler((error: FastifyError, request, reply) => send(reply, edge, toRefusal(error, request, edge)))
  http.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const allowed = METHODS.filter((method) => http.findRoute({ method, url: path }) !== null)
    if (allowed.length === 0) return send(reply, edge, { id: 'invalid_endpoint' })
    reply.header('allow', allowed.join(', '))
    return send(reply, edge, { id: 'method_not_allowed' })
  })
}

function toRefusal(error: FastifyError, request: FastifyRequest, edge: Edge): Refusal {
  if (error instanceof RefusedRequest) return error.refusal
  if (error instanceof StoreOutage) return outageRefusal(error)
  if (error.statusCode === 413) return { id: 'payload_too_large' }
  if (error.statusCode === 415) return { id: 'invalid_header', data: { header: 'Content-Type' } }
  if (error.statusCode !== undefined && error.statusCode < 500) return { id: 'invalid_request' }
  edge.log('a request failed', { route: request.routeOptions.url, error: error.stack })
  return { id: 'internal_server_error' }
}

function send(reply: FastifyReply, edge: Edge, refusal: Refusal) {
  const isChallenge = refusal.id === 'authentication_required'
  const full = isChallenge ? { ...refusal, data: { ...refusal.data, nonce: edge.sessions.nonce(null) } } : refusal
  if (refusal.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(refusal.retryAfterMs / 1000))
  reply.header('cache-control', 'no-store')
  return reply.code(errors[refusal.id].status).send(toWireError(full))
}

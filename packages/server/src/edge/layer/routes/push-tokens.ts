import { invalidProperty, missingProperty } from '@parley/protocol'
import type { FastifyInstance } from 'fastify'
import type { Edge } from '../../edge.ts'
import { accepted } from '../../http/refused-request.ts'
import { members } from '../submit.ts'
import { signedIn } from './call.ts'

/** Push tokens are taken with thanks and not kept: this server sends no push yet. */
export function pushTokenRoutes(http: FastifyInstance, edge: Edge): void {
  http.post(
    '/push_tokens',
    signedIn(edge, async ({ request, reply }) => {
      const body = accepted(members(request.body)).members
      for (const name of ['token', 'type', 'device_id']) {
        if (body[name] === undefined) accepted(missingProperty(name))
        if (typeof body[name] !== 'string') accepted(invalidProperty(name, 'Expected text.'))
      }
      if (body.type !== 'apns' && body.type !== 'gcm') accepted(invalidProperty('type', 'Expected apns or gcm.'))
      return reply.code(202).send()
    }),
  )
  http.delete(
    '/push_tokens/:device',
    signedIn(edge, async ({ reply }) => reply.code(202).send()),
  )
}

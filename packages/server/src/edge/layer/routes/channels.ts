import type { FastifyInstance } from 'fastify'
import type { Edge } from '../../edge.ts'
import { notFound, signedIn } from './call.ts'
import { pageSize, sendList } from './page.ts'

/** Channels were a preview of Layer's; there are none here yet, and the answers say so. */
export function channelRoutes(http: FastifyInstance, edge: Edge): void {
  http.get(
    '/channels',
    signedIn(edge, async ({ request, reply }) => {
      pageSize(request)
      return sendList(reply, { total: 0, items: [] })
    }),
  )
  const none = signedIn(edge, async () => {
    throw notFound('There is no such channel.')
  })
  for (const method of ['GET', 'PATCH', 'DELETE'] as const)
    http.route({ method, url: '/channels/:uuid', handler: none })
  for (const method of ['GET', 'POST'] as const) {
    http.route({ method, url: '/channels/:uuid/messages', handler: none })
  }
  http.get('/channels/:uuid/members', none)
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    http.route({ method, url: '/channels/:uuid/members/:user', handler: none })
  }
}

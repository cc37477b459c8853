import type { FastifyInstance } from 'fastify'
import type { Edge } from '../../edge.ts'
import { notFound, signedIn } from './call.ts'
import { pageSize, sendList } from './page.ts'

/** Announcements come from an app's backend, for which there is no door yet: nobody has any. */
export function announcementRoutes(http: FastifyInstance, edge: Edge): void {
  http.get(
    '/announcements',
    signedIn(edge, async ({ request, reply }) => {
      pageSize(request)
      return sendList(reply, { total: 0, items: [] })
    }),
  )
  const none = signedIn(edge, async () => {
    throw notFound('There is no such announcement.')
  })
  http.get('/announcements/:uuid', none)
  http.delete('/announcements/:uuid', none)
  http.post('/announcements/:uuid/receipts', none)
}

import { refuse } from '@parley/protocol'
import type { FastifyInstance } from 'fastify'
import type { Edge } from '../../edge.ts'
import { RefusedRequest } from '../../http/refused-request.ts'
import { notFound, signedIn } from './call.ts'

/** Rich content: refused plainly until there is a place for it. */
export function contentRoutes(http: FastifyInstance, edge: Edge): void {
  http.post(
    '/content',
    signedIn(edge, async () => {
      throw new RefusedRequest(
        refuse('invalid_operation', { message: 'This server takes no rich content yet; send parts inline.' }).refusal,
      )
    }),
  )
  http.get(
    '/content/:uuid',
    signedIn(edge, async () => {
      throw notFound('There is no such content.')
    }),
  )
}

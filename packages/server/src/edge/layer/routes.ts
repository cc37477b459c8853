import type { FastifyInstance } from 'fastify'
import type { Edge } from '../edge.ts'
import { announcementRoutes } from './routes/announcements.ts'
import { channelRoutes } from './routes/channels.ts'
import { contentRoutes } from './routes/content.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { followingRoutes } from './routes/following.ts'
import { identityRoutes } from './routes/identities.ts'
import { messageRoutes } from './routes/messages.ts'
import { pushTokenRoutes } from './routes/push-tokens.ts'
import { receiptRoutes } from './routes/receipts.ts'

/** Layer's Client API 2.0 over HTTP. Nonces, sessions and probes are common to all clients, in `edge/http`. */
export function layerRoutes(http: FastifyInstance, edge: Edge): void {
  conversationRoutes(http, edge)
  messageRoutes(http, edge)
  receiptRoutes(http, edge)
  identityRoutes(http, edge)
  followingRoutes(http, edge)
  announcementRoutes(http, edge)
  channelRoutes(http, edge)
  pushTokenRoutes(http, edge)
  contentRoutes(http, edge)
}

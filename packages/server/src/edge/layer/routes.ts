import type { FastifyInstance } from 'fastify'
import type { Edge } from '../edge.ts'

/** Layer's Client API 2.0 over HTTP. */
export function layerRoutes(_http: FastifyInstance, _edge: Edge): void {}

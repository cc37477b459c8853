import type { Socket } from 'node:net'
import { ERRORS_PATH, errors, limits, toWireError } from '@parley/protocol'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Edge } from '../edge.ts'
import { decodeJson } from '../json-input.ts'
import { authenticationRoutes } from './authentication-routes.ts'
import { allowOrigins } from './cors.ts'
import { answerErrors } from './errors.ts'
import { errorsPage } from './errors-page.ts'
import { RefusedRequest } from './refused-request.ts'

/** Headers have to be here within this; a body that trickles is cut as well. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 20_000

const PATCH_TYPE = 'application/vnd.layer-patch+json'
const ACCEPT = /application\/vnd\.layer\+json\s*;\s*version\s*=\s*2\.0/i
/** Routes that ask for no version of the API. */
const UNVERSIONED = new Set(['/', '/ping', '/healthz', '/readyz', ERRORS_PATH])

export interface HttpOptions {
  readonly isOriginAllowed: (origin: string) => boolean
  /** Why nobody should be sent here at present, in sentences for anybody; asked by `/readyz`. */
  readonly unreadiness: () => readonly string[]
  /** How this server hears of others on its store; without them it serves on, a little late. */
  readonly nodes?: { readonly bus: string; readonly isDegraded: boolean } | undefined
  /** People are sent elsewhere: whoever keeps a connection for the next request is to open another one, which leads there. */
  readonly isAway?: () => boolean
  /** Whether requests are counted, which costs each of them something. */
  readonly countsRequests?: boolean
  /** Adds hooks that see every request before anything else does. */
  readonly watchRequests?: ((http: FastifyInstance) => void) | undefined
}

/** The HTTP side of the server, without a port: limits, errors, cross-origin rules and the routes common to all. */
export function createHttpServer(edge: Edge, options: HttpOptions): FastifyInstance {
  const http = Fastify({
    bodyLimit: limits.maxFrameBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    logger: false,
    rewriteUrl: (request) => decodable(request.url ?? '/'),
    // A request that is no HTTP never becomes one of Fastify's, and is answered in our words all the same.
    clientErrorHandler: answerBrokenRequest,
    routerOptions: { maxParamLength: 1_024, ignoreTrailingSlash: true },
  })
  http.server.headersTimeout = HEADERS_TIMEOUT_MS
  options.watchRequests?.(http)
  allowOrigins(http, options.isOriginAllowed)
  answerErrors(http, edge)
  readBodies(http)
  // A call instead of a promise: every request comes by here.
  http.addHook('onRequest', (request, reply, done) => {
    if (options.isAway?.()) reply.header('connection', 'close')
    const path = request.url.split('?')[0]!
    if (!UNVERSIONED.has(path) && !ACCEPT.test(request.headers.accept ?? '')) {
      return done(new RefusedRequest({ id: 'invalid_header', data: { header: 'Accept' } }))
    }
    if (request.method === 'PATCH' && !request.headers['content-type']?.startsWith(PATCH_TYPE)) {
      return done(new RefusedRequest({ id: 'invalid_header', data: { header: 'Content-Type' } }))
    }
    done()
  })
  if (options.countsRequests) {
    http.addHook('onResponse', (request, reply, done) => {
      const { url = 'none' } = request.routeOptions
      edge.tally.requests.add(`${request.method} ${url} ${reply.statusCode}`)
      done()
    })
  }
  http.get('/healthz', async () => ({ status: 'ok' }))
  http.get('/readyz', async (_request, reply) => {
    const reasons = options.unreadiness()
    const { nodes } = options
    const others = nodes && { bus: nodes.bus, degraded: nodes.isDegraded }
    if (reasons.length === 0) return reply.send({ status: 'ready', ...others })
    return reply
      .code(503)
      .header('cache-control', 'no-store')
      .send({ status: 'not ready', reasons, ...others })
  })
  http.get(ERRORS_PATH, async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
      .send(errorsPage()),
  )
  authenticationRoutes(http, edge)
  return http
}

/** An address whose escapes are no text names nothing; it is answered like any other that does, CORS headers and all. */
function decodable(url: string): string {
  try {
    if (url.includes('%')) decodeURIComponent(url)
    return url
  } catch {
    return '/not-an-address'
  }
}

/** JSON, also where a client announces it and sends nothing. */
function readBodies(http: FastifyInstance): void {
  http.removeAllContentTypeParsers()
  http.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    const decoded = decodeJson(body as string)
    if ('refusal' in decoded) done(new RefusedRequest(decoded.refusal))
    else done(null, decoded.value)
  })
}

function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const id = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'invalid_request'
  const body = JSON.stringify(toWireError({ id }))
  socket.end(
    `HTTP/1.1 ${errors[id].status} ${id}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Cache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

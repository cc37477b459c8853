import type { FastifyInstance } from 'fastify'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS = [
  ...['accept', 'authorization', 'content-type', 'layer-xdk-version', 'client-id', 'x-http-method-override'],
  ...['upload-content-type', 'upload-content-length', 'upload-origin'],
].join(', ')
const EXPOSED_HEADERS = 'Layer-Count, Link, Location, Layer-Conversation-Is-Syncing'

/**
 * Lets pages of other origins call the API; errors too, or a browser would take a refusal for a dead network. Nothing
 * here trusts cookies, so an origin gains nothing it would not have without them.
 * @param isAllowed whether pages of this origin may
 */
export function allowOrigins(http: FastifyInstance, isAllowed: (origin: string) => boolean): void {
  http.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    reply.header('vary', 'Origin')
    // What people wrote is in these answers; no browser shall take them for anything but what they say they are.
    reply.header('x-content-type-options', 'nosniff')
    if (origin !== undefined && isAllowed(origin)) {
      reply.header('access-control-allow-origin', origin)
      reply.header('access-control-allow-credentials', 'true')
      reply.header('access-control-expose-headers', EXPOSED_HEADERS)
    }
    if (request.method !== 'OPTIONS') return done()
    reply.header('access-control-allow-methods', METHODS)
    reply.header('access-control-allow-headers', REQUEST_HEADERS)
    reply.header('access-control-max-age', '600')
    reply.code(204).send()
  })
}

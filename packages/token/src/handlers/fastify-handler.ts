import { answerTokenRequest, MAX_BODY_BYTES, type TokenHandlerOptions, tokenRules } from './answer-token-request.ts'

/** What we need of Fastify's request. */
export interface FastifyTokenRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body?: unknown
}

interface FastifyTokenReply {
  code(status: number): FastifyTokenReply
  headers(values: Record<string, string>): FastifyTokenReply
  send(body: string): unknown
}

/** What we need of a Fastify instance. */
export interface FastifyApp {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(
    type: string,
    options: { parseAs: 'buffer' },
    parse: (request: never, body: Uint8Array, done: (error: Error | null, body?: unknown) => void) => void,
  ): unknown
  route(options: {
    method: string[]
    url: string
    bodyLimit: number
    handler: (request: FastifyTokenRequest, reply: FastifyTokenReply) => unknown
    errorHandler: (error: Error, request: FastifyTokenRequest, reply: FastifyTokenReply) => unknown
  }): unknown
}

/** {@link TokenHandlerOptions} and where to listen. */
export interface FastifyHandlerOptions extends TokenHandlerOptions<FastifyTokenRequest> {
  /** `/identity-token` when absent. */
  readonly path?: string
}

/**
 * A Fastify plugin that answers requests for identity tokens.
 *
 * @example
 * app.register(fastifyHandler({ minter, authenticate: (request) => userOfSession(request) }))
 */
export function fastifyHandler(options: FastifyHandlerOptions): (app: FastifyApp) => Promise<void> {
  const rules = tokenRules(options)
  const answer = async (request: FastifyTokenRequest, reply: FastifyTokenReply, body: BodyState) => {
    const {
      status,
      headers,
      body: text,
    } = await answerTokenRequest(rules, {
      method: request.method,
      origin: header(request, 'origin'),
      contentType: header(request, 'content-type'),
      readBody: async () => (body === 'too-large' ? { state: body } : { state: 'bytes', bytes: bytesOf(request.body) }),
      authenticate: (object) => options.authenticate(request, object),
    })
    return reply
      .code(status)
      .headers({ ...headers })
      .send(text)
  }
  return async (app) => {
    // Inside this plugin only: the body comes as bytes, so that its mistakes are answered by us, in our shape.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, bytes, done) => done(null, bytes))
    app.route({
      method: ['POST', 'GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      url: options.path ?? '/identity-token',
      bodyLimit: MAX_BODY_BYTES,
      handler: (request, reply) => answer(request, reply, 'whole'),
      errorHandler: (error, request, reply) => {
        // Thrown inside a route's error handler, an error goes on to the app's own.
        if (!isTooLarge(error)) throw error
        return answer(request, reply, 'too-large')
      },
    })
  }
}

type BodyState = 'whole' | 'too-large'

const isTooLarge = (error: Error): boolean => 'code' in error && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'

const bytesOf = (body: unknown): Uint8Array => (body instanceof Uint8Array ? body : new Uint8Array())

function header(request: FastifyTokenRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

import {
  answerTokenRequest,
  type RequestBody,
  refusal,
  type TokenAnswer,
  type TokenHandlerOptions,
  tokenRules,
} from './answer-token-request.ts'
import { readStream } from './read-stream.ts'

/** What we need of `http.IncomingMessage`. Express adds `body`, if a parser ran before. */
export interface NodeRequest extends AsyncIterable<unknown> {
  readonly method?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body?: unknown
}

/** What we need of `http.ServerResponse`. */
export interface NodeResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(text: string): unknown
}

/** {@link TokenHandlerOptions} and what to do with an exception of yours where nobody else would see it. */
export interface NodeHandlerOptions<Request extends NodeRequest> extends TokenHandlerOptions<Request> {
  /** Told of what `authenticate` threw, unless Express takes it. Written to the console when absent. */
  readonly onError?: (error: unknown) => void
}

/**
 * Answers requests for identity tokens in `node:http`, Express, Connect or Koa's raw objects. Works before or after a
 * JSON body parser.
 *
 * @example
 * app.all('/identity-token', nodeHandler({ minter, authenticate: (request) => userOfSession(request) }))
 */
export function nodeHandler<Request extends NodeRequest>(
  options: NodeHandlerOptions<Request>,
): (request: Request, response: NodeResponse, next?: (error?: unknown) => void) => Promise<void> {
  const rules = tokenRules(options)
  const { onError = console.error } = options
  return async (request, response, next) => {
    try {
      const answer = await answerTokenRequest(rules, {
        method: request.method ?? 'GET',
        origin: header(request, 'origin'),
        contentType: header(request, 'content-type'),
        readBody: (maxBytes) => readRequest(request, maxBytes),
        authenticate: (body) => options.authenticate(request, body),
      })
      write(response, answer)
    } catch (error) {
      if (next) return next(error)
      onError(error)
      write(response, refusal(500, 'internal_server_error', 'The authentication service failed. Try again.'))
    }
  }
}

function header(request: NodeRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

async function readRequest(request: NodeRequest, maxBytes: number): Promise<RequestBody> {
  // The common case is told by its header, before a byte is read.
  if (Number(header(request, 'content-length') ?? 0) > maxBytes) return { state: 'too-large' }
  const { body } = request
  if (body === undefined) return readStream(request[Symbol.asyncIterator](), maxBytes)
  if (typeof body === 'string') return { state: 'bytes', bytes: new TextEncoder().encode(body) }
  return body instanceof Uint8Array ? { state: 'bytes', bytes: body } : { state: 'parsed', value: body }
}

function write(response: NodeResponse, answer: TokenAnswer): void {
  response.statusCode = answer.status
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value)
  response.end(answer.body)
}

import { answerTokenRequest, type RequestBody, type TokenHandlerOptions, tokenRules } from './answer-token-request.ts'
import { readStream } from './read-stream.ts'

/**
 * Answers requests for identity tokens wherever a server is a function from `Request` to `Response`: Hono, Next.js,
 * SvelteKit, Deno, Bun, Cloudflare Workers.
 *
 * @example
 * export const POST = fetchHandler({ minter, authenticate: async (request) => userOfSession(request) })
 */
export function fetchHandler(options: TokenHandlerOptions<Request>): (request: Request) => Promise<Response> {
  const rules = tokenRules(options)
  return async (request) => {
    const answer = await answerTokenRequest(rules, {
      method: request.method,
      origin: request.headers.get('origin') ?? undefined,
      contentType: request.headers.get('content-type') ?? undefined,
      readBody: (maxBytes) => readRequest(request, maxBytes),
      authenticate: (body) => options.authenticate(request, body),
    })
    return new Response(answer.body === '' ? null : answer.body, { status: answer.status, headers: answer.headers })
  }
}

async function readRequest(request: Request, maxBytes: number): Promise<RequestBody> {
  if (!request.body) return { state: 'bytes', bytes: new Uint8Array() }
  const reader = request.body.getReader()
  const body = await readStream({ next: () => reader.read() as Promise<IteratorResult<Uint8Array>> }, maxBytes)
  if (body.state === 'too-large') await reader.cancel()
  return body
}

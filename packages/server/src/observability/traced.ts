/** Where traces are made of what the server does anyway: requests, operations, calls of the store. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { Stale, type Store } from '../store/store.ts'
import { Tally } from './tally.ts'
import type { Span, Tracing } from './tracing.ts'
import { watchedStore } from './watched-store.ts'

/** Each call of the store is a span, a child of whatever asks for it. */
export const tracedStore = (store: Store, tracing: Tracing): Store =>
  watchedStore(store, (call, method) => (...args) => {
    const span = tracing.begin({ name: `store ${call}`, kind: 'internal' })
    const asked = span.within(() => method(...args))
    asked.then(
      () => span.end(),
      // That another server was faster is no trouble of the store's.
      (error) => span.end(error instanceof Stale ? { attributes: { stale: true } } : { error: String(error) }),
    )
    return asked
  })

/** Each operation is a span, from being taken on to being settled. */
export class TracedTally extends Tally {
  readonly #tracing: Tracing
  readonly #clock: Clock

  constructor(tracing: Tracing, clock: Clock) {
    super()
    this.#tracing = tracing
    this.#clock = clock
  }

  override settled(operation: string, outcome: string, seconds: number): void {
    super.settled(operation, outcome, seconds)
    const at = this.#clock.now() - seconds * 1_000
    const span = this.#tracing.begin({ name: `operation ${operation}`, kind: 'server', at })
    span.end({
      attributes: { 'parley.outcome': outcome },
      ...(outcome === 'internal_server_error' && { error: outcome }),
    })
  }
}

/** Each request is a span that continues the caller's trace; its address is told as its route, which names nobody. */
export function traceRequests(http: FastifyInstance, tracing: Tracing): void {
  const spans = new WeakMap<FastifyRequest, Span>()
  http.addHook('onRequest', (request, _reply, done) => {
    const { method, headers } = request
    const { url: route = 'none' } = request.routeOptions
    const span = tracing.begin({
      name: `${method} ${route}`,
      kind: 'server',
      headers,
      attributes: { 'http.request.method': method, 'http.route': route },
    })
    spans.set(request, span)
    span.within(done)
  })
  // A body is read in turns of the event loop that know nothing of the request.
  http.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request)
    if (span) span.within(done)
    else done()
  })
  http.addHook('onResponse', (request, { statusCode }, done) => {
    spans.get(request)?.end({
      attributes: { 'http.response.status_code': statusCode },
      ...(statusCode >= 500 && statusCode !== 503 && { error: `status ${statusCode}` }),
    })
    done()
  })
}

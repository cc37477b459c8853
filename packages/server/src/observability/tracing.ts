/**
 * The hook for traces. The server knows no tracing system: whoever runs it passes one in, such as the adapter to
 * OpenTelemetry in `deploy/tracing`. Without it nothing is done and nothing costs.
 *
 *     GET, POST … of a request ──→ store log.load, log.commit, apps.keyAccess …
 *     operation send-message         (a batch serves many operations, so its calls of the store belong to none)
 */
export interface Tracing {
  /** Some work begins. */
  begin(start: SpanStart): Span
  /** Called once the server is closed: what was gathered should be sent. */
  close?(): Promise<void>
}

export interface SpanStart {
  /** One of few: `POST /sessions`, `operation send-message`, `store log.commit`. Nobody's name or id. */
  readonly name: string
  readonly kind: 'server' | 'internal'
  /** When it began, in milliseconds since 1970, with a fraction; now, if not given. */
  readonly at?: number
  readonly attributes?: Attributes
  /** Of the request that asks for it: `traceparent` says what it is part of. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
}

export interface Span {
  /** Runs something as a part of this: what begins in there, at once or later, is its child. */
  within<T>(work: () => T): T
  end(outcome?: SpanOutcome): void
}

export interface SpanOutcome {
  readonly attributes?: Attributes
  /** What went wrong on our side. That somebody was refused something is no error. */
  readonly error?: string
}

type Attributes = Readonly<Record<string, string | number | boolean>>

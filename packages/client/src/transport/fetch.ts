/** What we use of `fetch`. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

export interface FetchInit {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
  /** A nonce or a token must never come out of a cache (AUTH-29). */
  readonly cache: 'no-store'
  readonly credentials: 'omit'
  readonly redirect: 'error'
}

export interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

export const systemFetch: Fetch = (url, init) => globalThis.fetch(url, init)

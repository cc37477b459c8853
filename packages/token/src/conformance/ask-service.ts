import { readStream } from '../handlers/read-stream.ts'
import { parseJsonObject } from '../text/strict-json.ts'

/** What came back: a token, or why there is none. */
export type ServiceAnswer =
  | { readonly state: 'token'; readonly token: string; readonly headers: Headers }
  | { readonly state: 'refused'; readonly status: number; readonly sentence: string }
  | { readonly state: 'unreachable'; readonly sentence: string }

/** Sends one request, bounded in time and size, without following a redirect: it would carry the password along. */
export type AskService = (init: RequestInit, query?: Readonly<Record<string, string>>) => Promise<ServiceAnswer>

const MAX_ANSWER_BYTES = 65_536

export interface AskOptions {
  readonly url: string
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export function askService({ url, fetch, timeoutMs, signal }: AskOptions): AskService {
  return async (init, query = {}) => {
    const target = new URL(url)
    for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value)
    const signals = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]
    try {
      const request = { ...init, redirect: 'manual', signal: AbortSignal.any(signals) } as const
      return await readAnswer(await fetch(target.href, request))
    } catch (error) {
      // The caller gave up: then there is no report. Everything else is the finding itself.
      signal?.throwIfAborted()
      return { state: 'unreachable', sentence: `The service could not be reached: ${reason(error)}.` }
    }
  }
}

async function readAnswer(response: Response): Promise<ServiceAnswer> {
  const { status, headers } = response
  const reader = response.body?.getReader()
  const next = async () => (reader ? ((await reader.read()) as IteratorResult<Uint8Array>) : END)
  const body = await readStream({ next }, MAX_ANSWER_BYTES)
  const object = body.state === 'bytes' ? parseJsonObject(body.bytes) : undefined
  const token = object?.identity_token
  if (response.ok && typeof token === 'string') return { state: 'token', token, headers }
  const what = object ? 'JSON without "identity_token"' : 'something that is not a JSON object'
  const sentence = response.ok ? `It answered ${status} with ${what}.` : `It answered ${status}.`
  return { state: 'refused', status, sentence }
}

const END = { done: true, value: undefined } as const

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return 'the request failed'
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message.replace(/\.$/, '')
}

/**
 * What of authentication is asked over HTTP: the end of a session, which needs no connection. A call ends in an answer, a
 * refusal of the server's (`refused`), or `unreachable`: no network, a busy server, or somebody else's page in between.
 */
import type { WireError } from '@parley/protocol'
import type { Clock } from '../environment.ts'
import { ParleyError, throwIfAborted, unreachable, within } from '../errors.ts'
import type { Fetch } from '../transport/fetch.ts'
import { ANSWER_MS, asError } from './in-time.ts'

export interface SessionsApiPorts {
  readonly url: string
  readonly fetch: Fetch
  readonly clock: Clock
}

const ACCEPT = 'application/vnd.layer+json; version=2.0'

/** Ends a session. One that is unknown to the server has ended already, which is as good. */
export async function endSession(ports: SessionsApiPorts, token: string, signal: AbortSignal): Promise<void> {
  const request = { method: 'DELETE', path: '/sessions/current', token }
  try {
    await call(ports, request, signal)
  } catch (error) {
    const isGone = error instanceof ParleyError && error.refusal !== undefined && GONE.has(error.refusal.id)
    if (!isGone) throw error
  }
}

const GONE = new Set<string>(['authentication_required', 'not_found'])

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly token?: string
}

async function call(
  { url, fetch, clock }: SessionsApiPorts,
  { method, path, body, token }: Request,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  throwIfAborted(signal)
  try {
    return await within({ clock, ms: ANSWER_MS, signal }, async (limited) => {
      const answer = await fetch(url.replace(/\/$/, '') + path, {
        method,
        headers: {
          accept: ACCEPT,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Layer session-token="${token}"` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: limited,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
      })
      return readAnswer(answer.status, await answer.text())
    })
  } catch (cause) {
    if (cause instanceof ParleyError) throw cause
    throwIfAborted(signal)
    throw unreachable('The server cannot be reached.', cause)
  }
}

function readAnswer(status: number, text: string): Record<string, unknown> {
  const body = status === 204 ? {} : readJson(text)
  if (status >= 200 && status < 300) return body
  // Without an error object of ours it is a proxy or a portal that speaks, not the server.
  if (typeof body.id !== 'string' || typeof body.message !== 'string') throw unreachable(`The answer was ${status}.`)
  const refusal = body as unknown as WireError
  throw asError(refusal)
}

function readJson(text: string): Record<string, unknown> {
  try {
    const body = JSON.parse(text)
    if (typeof body === 'object' && body !== null) return body
  } catch (cause) {
    throw unreachable('The answer is not from a Parley server.', cause)
  }
  throw unreachable('The answer is not from a Parley server.')
}

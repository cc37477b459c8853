/**
 * The REST side of authentication: a nonce, a session, the end of a session. Each call ends in an answer, a refusal of
 * the server's (`refused`), or `unreachable`: no network, a busy server, or somebody else's page in between.
 */
import { type BasicIdentity, isTemporary, type WireError } from '@parley/protocol'
import type { Clock } from '../environment.ts'
import { ParleyError, refused, throwIfAborted, within } from '../errors.ts'
import type { Fetch } from '../transport/fetch.ts'

export interface SessionsApiPorts {
  readonly url: string
  readonly appId: string
  readonly fetch: Fetch
  readonly clock: Clock
}

export interface OpenedSession {
  readonly token: string
  readonly id: string
  readonly expiresAt: string
  readonly identity: BasicIdentity
}

/** No answer within this counts as none. */
const ANSWER_MS = 20_000
const ACCEPT = 'application/vnd.layer+json; version=2.0'

export async function requestNonce(ports: SessionsApiPorts, signal: AbortSignal): Promise<string> {
  const answer = await call(ports, { method: 'POST', path: '/nonces', body: { app_id: ports.appId } }, signal)
  if (typeof answer.nonce !== 'string') throw unreachable('The server gave no nonce.')
  return answer.nonce
}

export async function openSession(
  ports: SessionsApiPorts,
  identityToken: string,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const body = { identity_token: identityToken, app_id: ports.appId }
  const answer = await call(ports, { method: 'POST', path: '/sessions', body }, signal)
  const { session_token: token, session_id: id, expires_at: expiresAt, identity } = answer
  if (typeof token !== 'string' || typeof identity !== 'object' || identity === null) {
    throw unreachable('The server gave no session.')
  }
  // From here on it is our server's answer, whose shape it owes us.
  return { token, id: String(id), expiresAt: String(expiresAt), identity: identity as BasicIdentity }
}

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
  if (status >= 500 || isTemporary(refusal.id)) {
    throw new ParleyError('unreachable', refusal.message, { refusal })
  }
  throw refused(refusal)
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

const unreachable = (message: string, cause?: unknown) => new ParleyError('unreachable', message, { cause })

/**
 * What of authentication is asked over HTTP: the end of a session, which needs no connection. It ends in an answer, a
 * refusal of the server's (`refused`), or `unreachable`: no network, a busy server, or somebody else's page in between.
 */
import type { WireError } from '@parley/protocol'
import type { Clock } from '../environment.ts'
import { ParleyError, throwIfAborted, unreachable, within } from '../errors.ts'
import { readObject } from '../read-object.ts'
import type { Fetch } from '../transport/fetch.ts'
import { ANSWER_MS, asError } from './in-time.ts'

export interface SessionsApiPorts {
  readonly url: string
  readonly fetch: Fetch
  readonly clock: Clock
}

/** Ends a session. One that is unknown to the server has ended already, which is as good. */
export async function endSession(ports: SessionsApiPorts, token: string, signal: AbortSignal): Promise<void> {
  const { url, fetch, clock } = ports
  throwIfAborted(signal)
  try {
    const refusal = await within({ clock, ms: ANSWER_MS, signal }, async (limited) => {
      const answer = await fetch(`${url.replace(/\/$/, '')}/sessions/current`, {
        method: 'DELETE',
        headers: { accept: ACCEPT, authorization: `Layer session-token="${token}"` },
        signal: limited,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
      })
      return readRefusal(answer.status, await answer.text())
    })
    if (refusal && !GONE.includes(refusal.id)) throw asError(refusal)
  } catch (cause) {
    if (cause instanceof ParleyError) throw cause
    throwIfAborted(signal)
    throw unreachable('The server cannot be reached.', cause)
  }
}

const ACCEPT = 'application/vnd.layer+json; version=2.0'
const GONE = ['authentication_required', 'not_found']

function readRefusal(status: number, text: string): WireError | undefined {
  if (status === 204) return undefined
  const body = readObject(text)
  if (body && status >= 200 && status < 300) return undefined
  // Without an error object of ours it is a proxy or a portal that speaks, not the server.
  if (typeof body?.id !== 'string' || typeof body.message !== 'string') throw unreachable(`The answer was ${status}.`)
  return body as unknown as WireError
}

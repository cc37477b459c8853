import { isJsonObject, type JsonObject, parseJsonObject } from '../text/strict-json.ts'

/** Pure changes to a good request that ought to spoil it. Each answers undefined where it does not apply. */

const JSON_HEADERS = { 'content-type': 'application/json' }

/** The usual request: credentials and nonce as JSON. */
export function jsonRequest(body: JsonObject): RequestInit {
  return { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(body) }
}

/** The nonce and nothing else, under whatever name the request gives it. */
export function withoutCredentials(init: RequestInit, nonce: string): RequestInit {
  const named = Object.entries(bodyOf(init) ?? {}).filter(([, value]) => value === nonce)
  return jsonRequest(named.length > 0 ? Object.fromEntries(named) : { nonce })
}

/** The same request without the member that holds the nonce. */
export function withoutNonce(init: RequestInit, nonce: string): RequestInit | undefined {
  const entries = Object.entries(bodyOf(init) ?? {})
  const rest = entries.filter(([, value]) => value !== nonce)
  return rest.length < entries.length ? { ...init, body: JSON.stringify(Object.fromEntries(rest)) } : undefined
}

const SECRET = /pass|secret|pin|otp|code|token|credential/i

/** The same person with another secret, in the body or in the `authorization` header. */
export function withWrongSecret(init: RequestInit): RequestInit | undefined {
  const body = bodyOf(init) ?? {}
  const secrets = Object.entries(body).filter(([name, value]) => SECRET.test(name) && typeof value === 'string')
  const headers = new Headers(init.headers)
  const authorization = headers.get('authorization')
  if (secrets.length === 0 && !authorization) return undefined
  if (authorization)
    headers.set(
      'authorization',
      authorization.replace(/\S+$/, (secret) => `x${reversed(secret)}`),
    )
  const wrong = Object.fromEntries(secrets.map(([name, value]) => [name, `x${reversed(String(value))}`]))
  return { ...init, headers, ...(bodyOf(init) && { body: JSON.stringify({ ...body, ...wrong }) }) }
}

const USER_ID_NAMES = ['user_id', 'userId', 'userid', 'uid', 'prn', 'sub', 'id', 'identity', 'as']

/** The same credentials, and in passing another person's id under every name a service might listen to. */
export function forAnotherUser(init: RequestInit, otherUserId: string): RequestInit | undefined {
  const body = bodyOf(init)
  const names = USER_ID_NAMES.filter((name) => !Object.hasOwn(body ?? {}, name))
  return (
    body && {
      ...init,
      body: JSON.stringify({ ...body, ...Object.fromEntries(names.map((name) => [name, otherUserId])) }),
    }
  )
}

/** The same request as GET: what was in the body goes into the query. */
export function asGet(init: RequestInit): { init: RequestInit; query: Record<string, string> } {
  const texts = Object.entries(bodyOf(init) ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  const headers = new Headers(init.headers)
  headers.delete('content-type')
  return { init: { method: 'GET', headers }, query: Object.fromEntries(texts) }
}

function bodyOf(init: RequestInit): JsonObject | undefined {
  if (typeof init.body !== 'string') return undefined
  const body = parseJsonObject(new TextEncoder().encode(init.body))
  return isJsonObject(body) ? body : undefined
}

const reversed = (text: string): string => [...text].reverse().join('')

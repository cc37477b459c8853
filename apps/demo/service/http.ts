import type { IncomingMessage, ServerResponse } from 'node:http'

/** The little of HTTP that every route needs. */

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
}

export function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { ...SECURITY_HEADERS, 'content-type': 'text/plain; charset=utf-8', ...headers }).end(body)
}

export function sendHtml(response: ServerResponse, status: number, page: string): void {
  send(response, status, page, { 'content-type': 'text/html; charset=utf-8' })
}

export function redirect(response: ServerResponse, location: string, headers: Record<string, string> = {}): void {
  send(response, 303, '', { location, ...headers })
}

const MAX_FORM_BYTES = 16_384

/** The fields of a form, or undefined for anything else. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_FORM_BYTES) return undefined
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

const COOKIE = 'parley_demo_session'

export function readSessionCookie(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='))
  return pairs.find(([name]) => name === COOKIE)?.[1]
}

/** Out of reach for scripts, not sent along when another site posts here, and kept to HTTPS if the page came by it. */
export function sessionCookie(request: IncomingMessage, token: string, maxAgeSeconds: number): Record<string, string> {
  const secure = request.headers.origin?.startsWith('https:') ? '; Secure' : ''
  return { 'set-cookie': `${COOKIE}=${token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=${maxAgeSeconds}${secure}` }
}

/** Whether a page of ours, or of an allowed origin, sent this. Undefined when no page did: browsers name the origin. */
export function isFromTrustedPage(request: IncomingMessage, allowedOrigins: readonly string[]): boolean | undefined {
  const { origin, host } = request.headers
  if (origin === undefined) return undefined
  return allowedOrigins.includes(origin) || origin === `http://${host}` || origin === `https://${host}`
}

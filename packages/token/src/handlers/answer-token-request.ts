import type { IdentityTokenMinter } from '../mint-identity-token.ts'
import { isStorableText } from '../text/storable-text.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../text/strict-json.ts'
import type { ProfileClaims } from '../verify/read-claims.ts'
import { type ClaimNonce, createNonceMemory } from './nonce-memory.ts'

/**
 * What an authentication service does with a request for an identity token, apart from any framework: check the
 * request, ask the app who this is, mint. The adapters beside this file only translate.
 */

/** A person whom the app has just authenticated. */
export interface AuthenticatedUser {
  readonly userId: string
  readonly claims?: ProfileClaims
  /** Instead of the minter's lifetime. */
  readonly expiresInSeconds?: number
}

/** An answer of the app's own, for instance 429 after too many attempts. */
export interface RefusedRequest {
  readonly refusal: {
    readonly status: number
    readonly id: string
    readonly message: string
    readonly retryAfterSeconds?: number
  }
}

/** `null`: not authenticated, answered by 401. */
export type Authentication = AuthenticatedUser | RefusedRequest | null

/** How to answer requests for identity tokens. `Request` is the framework's. */
export interface TokenHandlerOptions<Request> {
  readonly minter: IdentityTokenMinter
  /**
   * Who is asking? By a session cookie, an `authorization` header, or credentials in the body: as your app does
   * everywhere else. The body was read already and is handed over parsed. **Never answer with a user id merely because
   * the request names it.**
   */
  authenticate(request: Request, body: JsonObject): Authentication | Promise<Authentication>
  /** Origins (`https://app.example`) whose pages may call from elsewhere, with cookies. Without it, CORS is yours. */
  readonly allowOrigin?: readonly string[]
  /** Refuses a nonce a second time. Kept in this process when absent; `() => true` turns it off. */
  readonly claimNonce?: ClaimNonce
}

/** A request as the adapters present it. */
export interface TokenRequest {
  readonly method: string
  readonly origin: string | undefined
  readonly contentType: string | undefined
  readBody(maxBytes: number): Promise<RequestBody>
  authenticate(body: JsonObject): Authentication | Promise<Authentication>
}

/** A body as bytes, or as a framework parsed it before us. */
export type RequestBody =
  | { readonly state: 'bytes'; readonly bytes: Uint8Array }
  | { readonly state: 'parsed'; readonly value: unknown }
  | { readonly state: 'too-large' }
  | { readonly state: 'broken' }

/** A response for an adapter to write. The body is JSON, or nothing. */
export interface TokenAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type TokenRules = Required<Pick<TokenHandlerOptions<unknown>, 'minter' | 'claimNonce' | 'allowOrigin'>>

export function tokenRules(options: Omit<TokenHandlerOptions<never>, 'authenticate'>): TokenRules {
  const { minter, claimNonce = createNonceMemory(), allowOrigin = [] } = options
  return { minter, claimNonce, allowOrigin }
}

/** A request is a nonce and perhaps credentials. */
export const MAX_BODY_BYTES = 65_536
/** The server's nonces are far shorter; what is longer is not one. */
const MAX_NONCE_LENGTH = 256

/** The answer to one request for an identity token. Throws only what `authenticate`, `claimNonce` or the key throws. */
export async function answerTokenRequest(rules: TokenRules, request: TokenRequest): Promise<TokenAnswer> {
  const isAllowed = request.origin !== undefined && rules.allowOrigin.includes(request.origin)
  const cors = isAllowed && request.origin ? corsHeaders(request.origin) : varyHeaders(rules)
  if (request.method === 'OPTIONS' && isAllowed) return { status: 204, headers: { ...cors, ...PREFLIGHT }, body: '' }
  const answer = await answerByMethod(rules, request)
  return { ...answer, headers: { ...answer.headers, ...cors } }
}

async function answerByMethod(rules: TokenRules, request: TokenRequest): Promise<TokenAnswer> {
  // A token in answer to GET could be stored by any cache on the way, and triggered by any link.
  if (request.method !== 'POST') {
    return refusal(405, 'method_not_allowed', 'Ask for identity tokens with POST.', { allow: 'POST' })
  }
  // A page of another origin cannot send this type without asking first: forged requests with a cookie end here.
  if (!/^application\/json\s*(;|$)/i.test(request.contentType ?? '')) {
    return refusal(415, 'unsupported_media_type', 'Send JSON with the header content-type: application/json.')
  }
  const body = readObject(await request.readBody(MAX_BODY_BYTES))
  return 'status' in body ? body : answerBody(rules, request, body.object)
}

function readObject(body: RequestBody): { object: JsonObject } | TokenAnswer {
  if (body.state === 'too-large') {
    return refusal(413, 'payload_too_large', `The body is larger than ${MAX_BODY_BYTES} bytes.`, {
      connection: 'close',
    })
  }
  if (body.state === 'bytes') {
    const object = parseJsonObject(body.bytes)
    if (object) return { object }
  }
  if (body.state === 'parsed' && isJsonObject(body.value)) return { object: body.value }
  return refusal(400, 'invalid_request', 'The body is not a JSON object such as {"nonce":"…"}.')
}

async function answerBody(rules: TokenRules, request: TokenRequest, body: JsonObject): Promise<TokenAnswer> {
  const { nonce } = body
  if (nonce === undefined) return refusal(422, 'missing_property', "The property 'nonce' is required.")
  if (!isNonce(nonce)) return refusal(422, 'invalid_property', "The property 'nonce' is not a nonce.")

  const outcome = await request.authenticate(body)
  if (outcome === null) return refusal(401, 'authentication_required', 'Log in first, or check what you sent.')
  if ('refusal' in outcome) return appRefusal(outcome)
  if (!(await rules.claimNonce(nonce))) {
    return refusal(
      409,
      'nonce_used',
      'A token was already made for this nonce. Ask the messaging server for a new one.',
    )
  }
  const { userId, claims, expiresInSeconds } = outcome
  const options = { ...(claims && { claims }), ...(expiresInSeconds !== undefined && { expiresInSeconds }) }
  const token = await rules.minter.mint({ userId, nonce, ...options })
  return { status: 200, headers: HEADERS, body: JSON.stringify({ identity_token: token }) }
}

function isNonce(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NONCE_LENGTH && isStorableText(value)
}

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}

const PREFLIGHT = {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'content-type, authorization, x-requested-with',
  'access-control-max-age': '600',
}

function corsHeaders(origin: string): Record<string, string> {
  return { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' }
}

function varyHeaders(rules: TokenRules): Record<string, string> {
  return rules.allowOrigin.length > 0 ? { vary: 'Origin' } : {}
}

export function refusal(
  status: number,
  id: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): TokenAnswer {
  return { status, headers: { ...HEADERS, ...headers }, body: JSON.stringify({ error: { id, message } }) }
}

function appRefusal({ refusal: { status, id, message, retryAfterSeconds } }: RefusedRequest): TokenAnswer {
  const retry = retryAfterSeconds === undefined ? undefined : { 'retry-after': String(Math.ceil(retryAfterSeconds)) }
  return refusal(status, id, message, retry)
}

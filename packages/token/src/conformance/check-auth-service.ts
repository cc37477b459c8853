import type { JWK } from 'jose'
import { parseKeyId, parseProviderId } from '../ids.ts'
import { decodeCanonicalBase64url } from '../text/base64url.ts'
import { parseJsonObject } from '../text/strict-json.ts'
import { type AskService, askService, type ServiceAnswer } from './ask-service.ts'
import { checkToken } from './check-token.ts'
import { type Check, type CheckId, check, fail, pass, warn } from './checks.ts'
import {
  asGet,
  forAnotherUser,
  jsonRequest,
  withoutCredentials,
  withoutNonce,
  withWrongSecret,
} from './vary-request.ts'

/** Which service, how to log in there, and what a right answer is. */
export interface CheckAuthServiceOptions {
  /** The address that answers a nonce with an identity token. */
  readonly url: string
  readonly providerId: string
  /** The public keys registered for the provider, as PEM or JWK. */
  readonly publicKeys?: readonly { readonly keyId: string; readonly publicKey: string | JWK }[]
  /** Instead of `publicKeys`: looks one up by its bare UUID. */
  readonly findKey?: (keyId: string) => Promise<string | JWK | undefined>
  /** Whose token these credentials have to get. */
  readonly expectedUserId: string
  /** Sent as JSON, along with the nonce: `{ user: 'alice', password: 'parley' }`. */
  readonly credentials?: Readonly<Record<string, unknown>>
  /** Instead of `credentials`: the whole request, where a cookie or another form of body is needed. */
  readonly requestToken?: (nonce: string) => RequestInit
  /** Credentials to be refused. The good ones with another password when absent. */
  readonly wrongCredentials?: Readonly<Record<string, unknown>>
  /** Somebody else, whose token these credentials must not get. */
  readonly otherUserId?: string
  /** Longest life of a token that passes. 31 days when absent. */
  readonly maxLifetimeSeconds?: number
  /** How far the clocks may differ. 5 seconds when absent, as the server has it. */
  readonly leewayMs?: number
  /** Patience with each request. 10 seconds when absent. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly now?: () => number
  readonly makeNonce?: () => string
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/** What was found, in the order of checking. A check that could not be made is left out. */
export interface AuthServiceReport {
  readonly url: string
  /** True when no check failed; warnings allowed. */
  readonly ok: boolean
  readonly checks: readonly Check[]
}

/**
 * Runs against an app's own authentication service and tells what is wrong with it. Sends about eight requests, one of
 * them with a wrong password.
 *
 * @example
 * const report = await checkAuthService({
 *   url: 'https://app.example/identity-token',
 *   providerId,
 *   publicKeys: [{ keyId, publicKey }],
 *   credentials: { user: 'alice', password: 'parley' },
 *   expectedUserId: 'alice',
 * })
 * for (const line of formatReport(report)) console.log(line)
 */
export async function checkAuthService(options: CheckAuthServiceOptions): Promise<AuthServiceReport> {
  if (!parseProviderId(options.providerId))
    throw new TypeError('providerId has to look like layer:///providers/<uuid>.')
  const found = [checkTransport(options.url), ...(await checkAnswers(contextOf(options)))]
  return { url: options.url, ok: found.every(({ verdict }) => verdict !== 'fail'), checks: found }
}

interface Context {
  readonly options: CheckAuthServiceOptions
  readonly ask: AskService
  readonly now: () => number
  readonly makeNonce: () => string
  readonly request: (nonce: string) => RequestInit
}

function contextOf(options: CheckAuthServiceOptions): Context {
  const { url, timeoutMs = 10_000, signal, now = Date.now, makeNonce = randomNonce, credentials = {} } = options
  const ask = askService({ url, timeoutMs, signal, fetch: options.fetch ?? fetch })
  const request = options.requestToken ?? ((nonce: string) => jsonRequest({ ...credentials, nonce }))
  return { options, ask, now, makeNonce, request }
}

const randomNonce = () => `parley-check-${crypto.randomUUID()}`

function checkTransport(url: string): Check {
  const { protocol, hostname } = new URL(url)
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname) || hostname.endsWith('.localhost')
  return protocol === 'https:' || isHere ? pass('https') : warn('https', 'The service is reached without encryption.')
}

async function checkAnswers(context: Context): Promise<readonly Check[]> {
  const { options, ask, now, makeNonce, request } = context
  const nonce = makeNonce()
  const sentAtMs = now()
  const answer = await ask(request(nonce))
  if (answer.state !== 'token') return [fail('answers', answer.sentence)]
  const { providerId, expectedUserId: userId, leewayMs = 5000, maxLifetimeSeconds = 31 * 24 * 3600 } = options
  const times = { sentAtMs, receivedAtMs: now(), leewayMs, maxLifetimeSeconds }
  const findKey = options.findKey ?? keyLookup(options.publicKeys ?? [])
  const found = await checkToken(answer.token, { providerId, nonce, userId, ...times, findKey })
  const isStored = !/\bno-store\b/i.test(answer.headers.get('cache-control') ?? '')
  return [
    pass('answers'),
    check('no-store', isStored && "The header 'cache-control' does not say no-store."),
    ...found,
    ...(await checkNonces(context, nonce, found)),
    ...(await checkRefusals(context)),
  ]
}

function keyLookup(keys: NonNullable<CheckAuthServiceOptions['publicKeys']>) {
  const byId = new Map(keys.map(({ keyId, publicKey }) => [parseKeyId(keyId), publicKey]))
  return async (keyId: string) => byId.get(keyId)
}

/** What becomes of the first nonce when it comes again, and of the first token when another nonce comes. */
async function checkNonces(context: Context, first: string, found: readonly Check[]): Promise<Check[]> {
  const { ask, request, makeNonce } = context
  const second = makeNonce()
  const again = await ask(request(second))
  const repeated = await ask(request(first))
  const echoed = found.some(({ id, verdict }) => id === 'nonce-echo' && verdict === 'pass')
  const stale =
    again.state === 'token' && claimOf(again.token, 'nce') !== second && 'A second nonce got the token of the first.'
  const refused = again.state !== 'token' && `A second request with a new nonce failed. ${again.sentence}`
  return [
    // A service that never echoes the nonce has been told so already.
    ...(echoed ? [check('token-cached', stale || refused)] : []),
    expectRefusal('nonce-once', repeated, 'A nonce for which a token was made got another one.'),
  ]
}

/** A claim as it stands, unverified: good enough to see whose token this pretends to be. */
function claimOf(token: string, name: string): unknown {
  const bytes = decodeCanonicalBase64url(token.split('.')[1] ?? '')
  return bytes && parseJsonObject(bytes)?.[name]
}

async function checkRefusals({ options, ask, request, makeNonce }: Context): Promise<readonly Check[]> {
  const { wrongCredentials, otherUserId = `${options.expectedUserId}-somebody-else` } = options
  const found: Check[] = []
  const expect = async (id: CheckId, init: RequestInit | undefined, problem: string) => {
    if (init) found.push(expectRefusal(id, await ask(init), problem))
  }
  const nonces = [makeNonce(), makeNonce(), makeNonce()] as const
  await expect('nonce-required', withoutNonce(request(nonces[0]), nonces[0]), 'A request without a nonce got a token.')
  const anonymous = withoutCredentials(request(nonces[1]), nonces[1])
  await expect('no-credentials', anonymous, 'A request without credentials got a token.')
  const wrong = wrongCredentials
    ? jsonRequest({ ...wrongCredentials, nonce: nonces[2] })
    : withWrongSecret(request(nonces[2]))
  await expect('wrong-credentials', wrong, 'A request with wrong credentials got a token.')

  const other = forAnotherUser(request(makeNonce()), otherUserId)
  if (other) found.push(expectOwnUser(await ask(other, { user_id: otherUserId }), otherUserId))

  const get = asGet(request(makeNonce()))
  found.push(
    expectRefusal('no-get', await ask(get.init, get.query), 'GET got a token, which caches and logs may keep.'),
  )
  return found
}

function expectOwnUser(answer: ServiceAnswer, otherUserId: string): Check {
  const isOther = answer.state === 'token' && claimOf(answer.token, 'prn') === otherUserId
  return check(
    'own-user-only',
    isOther && "A user id in the request got that person's token, with another's credentials.",
  )
}

/** To fail is not to refuse: a service that breaks where it should decide deserves a look. */
function expectRefusal(id: CheckId, answer: ServiceAnswer, problem: string): Check {
  if (answer.state === 'token') return fail(id, problem)
  const isBroken = answer.state === 'unreachable' || answer.status >= 500
  return isBroken ? warn(id, `Instead of refusing, the service failed. ${answer.sentence}`) : pass(id)
}

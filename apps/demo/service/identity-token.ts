import type { IncomingMessage } from 'node:http'
import {
  type Authentication,
  createIdentityTokenMinter,
  type IdentityTokenMinterOptions,
  nodeHandler,
} from '@parley/token'
import type { Account, Accounts } from './accounts.ts'
import { isFromTrustedPage, readSessionCookie } from './http.ts'
import type { PasswordDoor } from './password-door.ts'

export type Provider = Pick<IdentityTokenMinterOptions, 'providerId' | 'keyId' | 'privateKey' | 'lifetimeSeconds'>

export interface IdentityTokenOptions {
  readonly accounts: Accounts
  readonly enter: PasswordDoor
  readonly provider: Provider
  readonly allowedOrigins: readonly string[]
  readonly now: () => number
}

/**
 * The heart of the service, and all that messaging asks of an app: say who this is, and the handler mints the token.
 * Everything else in this folder is an ordinary log-in, of which your app has its own.
 */
export function identityTokenHandler({ accounts, enter, provider, allowedOrigins, now }: IdentityTokenOptions) {
  const minter = createIdentityTokenMinter({ ...provider, now })
  return nodeHandler<IncomingMessage>({ minter, authenticate, allowOrigin: allowedOrigins })

  /** By user name and password, or by the session cookie of this service. */
  async function authenticate(
    request: IncomingMessage,
    body: Readonly<Record<string, unknown>>,
  ): Promise<Authentication> {
    const { user, password } = body
    if (user === undefined && password === undefined) {
      const account = accounts.ofSession(readSessionCookie(request) ?? '')
      // A cookie comes along whoever made the request. A program without an origin proves by a header it is no page.
      const isTrusted = isFromTrustedPage(request, allowedOrigins) ?? request.headers['x-requested-with'] !== undefined
      if (account && !isTrusted) return FOREIGN_PAGE
      return account ? asTokenUser(account) : null
    }
    if (typeof user !== 'string' || typeof password !== 'string') return null
    const entry = await enter(user, password)
    if (entry.state === 'wait') return tooManyAttempts(entry.seconds)
    return entry.state === 'in' ? asTokenUser(entry.account) : null
  }
}

const asTokenUser = ({ userId, displayName }: Account): Authentication => ({
  userId,
  claims: { display_name: displayName },
})

const FOREIGN_PAGE = {
  refusal: { status: 403, id: 'forbidden_origin', message: 'This page may not use your session.' },
}

const tooManyAttempts = (retryAfterSeconds: number): Authentication => ({
  refusal: {
    status: 429,
    id: 'rate_limit_exceeded',
    message: 'Too many attempts. Try again later.',
    retryAfterSeconds,
  },
})

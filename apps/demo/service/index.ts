import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { openAccounts } from './accounts.ts'
import { accountForms } from './forms.ts'
import { isFromTrustedPage, readForm, readSessionCookie, redirect, send, sendHtml } from './http.ts'
import { identityTokenHandler, type Provider } from './identity-token.ts'
import { accountPage, logInPage, signUpPage } from './pages.ts'
import { passwordCost } from './password.ts'
import { createPasswordDoor } from './password-door.ts'
import { STYLE } from './style.ts'

export interface AuthenticationServiceOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** The SQLite file of the accounts; made when absent. */
  readonly dataFile: string
  /** As creating the app printed it. */
  readonly provider: Provider
  /** Origins of the pages that may ask for tokens from elsewhere, cookie included. */
  readonly allowedOrigins: readonly string[]
  /** Adds alice, ben, cleo and dana, each with the password `parley`, and hashes cheaply. Never where it matters. */
  readonly seedDevelopmentAccounts?: boolean
  readonly now?: () => number
}

export interface AuthenticationService {
  readonly url: string
  close(): Promise<void>
}

/**
 * An app's own authentication service: accounts, a log-in, and `POST /identity-token`, which answers a nonce with an
 * identity token for whoever is logged in. A template: put your own accounts in place of these.
 */
export async function startAuthenticationService(
  options: AuthenticationServiceOptions,
): Promise<AuthenticationService> {
  const { host, port, dataFile, provider, allowedOrigins, seedDevelopmentAccounts = false, now = Date.now } = options
  if (dataFile !== ':memory:') mkdirSync(dirname(dataFile), { recursive: true })
  const cost = seedDevelopmentAccounts ? passwordCost.development : passwordCost.production
  const accounts = await openAccounts(dataFile, cost, now)
  for (const displayName of seedDevelopmentAccounts ? ['Alice', 'Ben', 'Cleo', 'Dana'] : []) {
    await accounts.create({ userId: displayName.toLowerCase(), displayName }, 'parley')
  }
  const enter = createPasswordDoor(accounts, now)
  const answerIdentityToken = identityTokenHandler({ accounts, enter, provider, allowedOrigins, now })
  const forms = accountForms(accounts, enter)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0] ?? '/'
    if (path === '/identity-token') return answerIdentityToken(request, response)
    const form = forms.get(path)
    if (request.method === 'POST' && form) {
      if (isFromTrustedPage(request, allowedOrigins) === false)
        return send(response, 403, 'Please use the form on our own page.')
      const fields = await readForm(request)
      return fields ? form(request, response, fields) : send(response, 415, 'This is not a form.')
    }
    if (request.method !== 'GET') return send(response, 405, 'This cannot be done here.')
    const account = path === '/' ? accounts.ofSession(readSessionCookie(request) ?? '') : undefined
    if (account) return sendHtml(response, 200, accountPage(account.displayName, allowedOrigins))
    if (path === '/') return redirect(response, '/log-in')
    if (path === '/log-in') return sendHtml(response, 200, logInPage())
    if (path === '/sign-up') return sendHtml(response, 200, signUpPage())
    if (path === '/style.css') return send(response, 200, STYLE, { 'content-type': 'text/css; charset=utf-8' })
    send(response, 404, 'There is no such page.')
  }

  const server = createServer({ requestTimeout: 15_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(error)
      if (!response.headersSent) send(response, 500, 'The service failed. Try again.')
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve)).catch(
    (error) => {
      accounts.close()
      throw error
    },
  )
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    async close() {
      if (!server.listening) return
      await new Promise((resolve) => server.close(resolve).closeAllConnections())
      accounts.close()
    },
  }
}

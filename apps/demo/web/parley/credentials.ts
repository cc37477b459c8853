/**
 * The page's side of the app's authentication service. A password is held only until it was used once; afterwards the
 * service knows this browser by its own cookie, so that a token can be fetched without asking anybody.
 */
export interface Credentials {
  /** What the next challenge is answered with. */
  give(user: string, password: string): void
  /** Answers the server's nonce with an identity token; null when nobody is logged in any more. */
  challenge(challenge: { readonly nonce: string; readonly signal: AbortSignal }): Promise<string | null>
  /** Has the service remember this browser. */
  remember(): Promise<void>
  /** And forget it again. */
  forget(): Promise<void>
}

export class SignInRefused extends Error {
  override readonly name = 'SignInRefused'
}

export function createCredentials(authServiceUrl: string): Credentials {
  let login: { readonly user: string; readonly password: string } | undefined

  /** The service's own forms answer with pages of their origin, which we may not read and need not. */
  const post = async (path: string, fields: Record<string, string>) => {
    const body = new URLSearchParams(fields)
    await fetch(authServiceUrl + path, { method: 'POST', mode: 'no-cors', credentials: 'include', body })
  }

  return {
    give(user, password) {
      login = { user, password }
    },
    async challenge({ nonce, signal }) {
      const response = await fetch(`${authServiceUrl}/identity-token`, {
        method: 'POST',
        credentials: 'include',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...login, nonce }),
        signal,
      })
      if (response.status === 401 && !login) return null
      if (response.status === 401) throw new SignInRefused('That user and password do not go together.')
      if (response.status === 429) throw new SignInRefused('Too many attempts. Wait a moment.')
      if (!response.ok) throw new Error(`The authentication service answered ${response.status}.`)
      const { identity_token } = (await response.json()) as { identity_token: string }
      return identity_token
    },
    async remember() {
      const fields = login
      login = undefined
      if (fields) await post('/log-in', fields)
    },
    async forget() {
      login = undefined
      await post('/log-out', {})
    },
  }
}

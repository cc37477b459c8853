import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Accounts, SESSION_SECONDS } from './accounts.ts'
import { readSessionCookie, redirect, sendHtml, sessionCookie } from './http.ts'
import { logInPage, signUpPage } from './pages.ts'
import type { PasswordDoor } from './password-door.ts'

export type Form = (request: IncomingMessage, response: ServerResponse, fields: URLSearchParams) => Promise<void> | void

/** What happens when one of the forms is posted: an ordinary log-in with a session cookie. */
export function accountForms(accounts: Accounts, enter: PasswordDoor): ReadonlyMap<string, Form> {
  const logIn: Form = async (request, response, fields) => {
    const user = fields.get('user') ?? ''
    const entry = await enter(user, fields.get('password') ?? '')
    if (entry.state === 'in') return startSession(request, response, entry.account.userId)
    const [status, problem] =
      entry.state === 'wait' ? [429, 'Too many attempts. Try again later.'] : [401, 'User name or password is wrong.']
    sendHtml(response, status, logInPage({ user, problem }))
  }

  const signUp: Form = async (request, response, fields) => {
    const user = (fields.get('user') ?? '').trim().toLowerCase()
    const displayName = (fields.get('display_name') ?? '').trim() || user
    const password = fields.get('password') ?? ''
    const refuse = (status: number, problem: string) =>
      sendHtml(response, status, signUpPage({ user, displayName, problem }))
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(user))
      return refuse(422, 'A user name is letters, digits, dots and dashes.')
    if (displayName.length > 128 || /\p{Cc}/u.test(displayName))
      return refuse(422, 'Your name is too long or unreadable.')
    if (password.length < 8 || password.length > 1024) return refuse(422, 'A password has 8 to 1024 characters.')
    if (!(await accounts.create({ userId: user, displayName }, password)))
      return refuse(409, 'This user name is taken.')
    startSession(request, response, user)
  }

  const logOut: Form = (request, response) => {
    accounts.endSession(readSessionCookie(request) ?? '')
    redirect(response, '/log-in', sessionCookie(request, '', 0))
  }

  /** Always a new one: a session that somebody else planted in this browser ends here. */
  function startSession(request: IncomingMessage, response: ServerResponse, userId: string): void {
    accounts.endSession(readSessionCookie(request) ?? '')
    redirect(response, '/', sessionCookie(request, accounts.startSession(userId), SESSION_SECONDS))
  }

  return new Map([
    ['/log-in', logIn],
    ['/sign-up', signUp],
    ['/log-out', logOut],
  ])
}

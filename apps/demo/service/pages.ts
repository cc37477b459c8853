/** The two forms and what is behind them. No scripts at all, so the strictest content security policy will do. */

export interface FormValues {
  readonly user?: string | undefined
  readonly displayName?: string | undefined
  readonly problem?: string | undefined
}

export function logInPage({ user = '', problem }: FormValues = {}): string {
  return page('Log in', [
    alert(problem),
    '<form method="post" action="/log-in">',
    userField(user),
    field('password', 'Password', 'type="password" autocomplete="current-password"'),
    '<button>Log in</button></form>',
    '<p>New here? <a href="/sign-up">Create an account</a></p>',
  ])
}

export function signUpPage({ user = '', displayName = '', problem }: FormValues = {}): string {
  return page('Create an account', [
    alert(problem),
    '<form method="post" action="/sign-up">',
    field('display_name', 'Your name', `value="${safe(displayName)}" autocomplete="name" maxlength="128"`),
    userField(user),
    field('password', 'Password (8 characters or more)', 'type="password" autocomplete="new-password" minlength="8"'),
    '<button>Create account</button></form>',
    '<p>Already have one? <a href="/log-in">Log in</a></p>',
  ])
}

export function accountPage(displayName: string, chats: readonly string[]): string {
  return page(`Hello, ${safe(displayName)}`, [
    ...chats.map((origin) => `<p><a class="button" href="${safe(origin)}">Open the chat</a></p>`),
    '<form method="post" action="/log-out"><button class="quiet">Log out</button></form>',
  ])
}

const page = (title: string, body: readonly string[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/style.css"></head>
<body><main><h1>${title}</h1>${body.join('\n')}</main></body></html>`

const alert = (problem?: string): string => (problem ? `<p role="alert">${safe(problem)}</p>` : '')

const field = (name: string, label: string, attributes: string): string =>
  `<label for="${name}">${label}</label><input id="${name}" name="${name}" required ${attributes}>`

const userField = (user: string): string =>
  field('user', 'User name', `value="${safe(user)}" autocomplete="username" autocapitalize="none" spellcheck="false"`)

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const safe = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char)

import { type FormEvent, useId, useRef, useState } from 'react'
import { Brand } from '../components/brand.tsx'
import { SignInPicture } from '../components/sign-in-picture.tsx'

const DEVELOPMENT_ACCOUNTS = ['alice', 'ben', 'cleo', 'dana']
const DEVELOPMENT_PASSWORD = 'parley'

interface SignInProps {
  readonly signUpUrl: string
  /** What went wrong the last time, as a sentence. */
  readonly fault: string | undefined
  readonly isBusy: boolean
  readonly onSignIn: (user: string, password: string) => void
}

export function SignIn({ signUpUrl, fault, isBusy, onSignIn }: SignInProps) {
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (user.trim() && password) onSignIn(user.trim(), password)
  }
  const fill = (account: string) => {
    setUser(account)
    setPassword(DEVELOPMENT_PASSWORD)
    button.current?.focus()
  }

  return (
    <main className="sign-in">
      <div className="sign-in-side">
        <div className="sign-in-card">
          <Brand />
          <div>
            <h1>Welcome back</h1>
            <p className="sign-in-lead">Sign in to bring your conversations to this device.</p>
          </div>
          <form onSubmit={submit} aria-describedby={fault ? `${id}-fault` : undefined}>
            <div className="field">
              <label className="field-label" htmlFor={`${id}-user`}>
                User
              </label>
              <input
                id={`${id}-user`}
                className="input"
                name="username"
                autoComplete="username"
                autoCapitalize="none"
                spellCheck={false}
                required
                value={user}
                onChange={(event) => setUser(event.target.value)}
              />
            </div>
            <div className="field">
              <label className="field-label" htmlFor={`${id}-password`}>
                Password
              </label>
              <input
                id={`${id}-password`}
                className="input"
                name="password"
                type="password"
                autoComplete="current-password"
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
            </div>
            {fault && (
              <p id={`${id}-fault`} className="field-fault" role="alert">
                {fault}
              </p>
            )}
            <button ref={button} type="submit" className="button wide" disabled={isBusy}>
              {isBusy && <span className="spinner" />}
              {isBusy ? 'Signing in…' : 'Sign in'}
            </button>
          </form>
          <div className="sign-in-hint">
            Trying it out? These accounts exist in development, all with the password{' '}
            <code>{DEVELOPMENT_PASSWORD}</code>:
            <div className="sign-in-accounts">
              {DEVELOPMENT_ACCOUNTS.map((account) => (
                <button key={account} type="button" className="chip" onClick={() => fill(account)}>
                  {account}
                </button>
              ))}
            </div>
          </div>
          <p className="sign-in-foot">
            New here? <a href={signUpUrl}>Create an account</a>
          </p>
        </div>
      </div>
      <SignInPicture />
    </main>
  )
}

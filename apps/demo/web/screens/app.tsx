import type { Client } from '@parley/client'
import { useState } from 'react'
import type { Config } from '../parley/config.ts'
import type { Credentials } from '../parley/credentials.ts'
import { faultText } from '../parley/fault-text.ts'
import { chooseOffline } from '../parley/offline-choice.ts'
import { useClientValue } from '../parley/use-client-value.ts'
import { useLostSession } from '../parley/use-lost-session.ts'
import { Chat } from './chat.tsx'
import { SignIn } from './sign-in.tsx'
import { Splash } from './splash.tsx'

interface AppProps {
  readonly client: Client
  readonly config: Config
  readonly credentials: Credentials
}

/** Which screen: it depends on nothing but who is signed in. */
export function App({ client, config, credentials }: AppProps) {
  const state = useClientValue(client, ['state'], (each) => each.state)
  const [fault, setFault] = useState<string>()
  useLostSession(client, setFault)

  const signIn = async (user: string, password: string) => {
    setFault(undefined)
    chooseOffline(false)
    credentials.give(user, password)
    try {
      await client.authenticate(user)
      await credentials.remember()
    } catch (error) {
      setFault(faultText(error))
    }
  }

  switch (state.state) {
    case 'opening':
      return <Splash text="Opening…" isBusy />
    case 'closed':
      return <Splash text="This browser could not store anything. Reload the page to try again." isBusy={false} />
    case 'unauthenticated':
    case 'authenticating':
      return (
        <SignIn
          signUpUrl={`${config.authServiceUrl}/sign-up`}
          fault={fault}
          isBusy={state.state === 'authenticating'}
          onSignIn={signIn}
        />
      )
    case 'authenticated':
    case 'challenged':
    case 'deauthenticating':
      return <Chat client={client} identity={state.identity} onSignedOut={() => credentials.forget()} />
  }
}

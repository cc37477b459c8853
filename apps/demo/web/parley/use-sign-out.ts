import { type Client, type DeauthenticateOptions, ParleyError } from '@parley/client'
import { useState } from 'react'
import { describeEntry } from './describe-entry.ts'
import { faultText } from './fault-text.ts'
import { clearRoute } from './use-route.ts'

export interface SignOut {
  readonly start: () => void
  /** What would be lost, if something would be. */
  readonly unsent: readonly string[] | undefined
  readonly keepAndLeave: () => void
  readonly discardAndLeave: () => void
  readonly cancel: () => void
}

/** Signing out needs a connection, waits until what was written is sent, and asks before anything is dropped. */
export function useSignOut(client: Client, onSignedOut: () => Promise<void>, show: (text: string) => void): SignOut {
  const [unsent, setUnsent] = useState<readonly string[]>()

  const signOut = async (options?: DeauthenticateOptions) => {
    setUnsent(undefined)
    try {
      await client.deauthenticate(options)
      clearRoute()
      await onSignedOut()
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error
      if (error.code === 'unsent_work') setUnsent(error.entries.map(describeEntry))
      else if (error.code === 'offline' || error.code === 'unreachable') show(NEEDS_CONNECTION)
      else show(faultText(error))
    }
  }

  return {
    start: () => void signOut(),
    unsent,
    keepAndLeave: () => void signOut({ keepData: true }),
    discardAndLeave: () => void signOut({ discardUnsent: true }),
    cancel: () => setUnsent(undefined),
  }
}

const NEEDS_CONNECTION = 'You are offline. Signing out needs a connection, so that nothing you wrote is lost.'

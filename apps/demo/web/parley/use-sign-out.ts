import { type Client, type OutboxEntry, ParleyError } from '@parley/client'
import { useState } from 'react'
import { faultText } from './fault-text.ts'
import { clearRoute } from './use-route.ts'

export interface SignOut {
  readonly start: () => void
  /** What would be lost, if something would be. */
  readonly unsent: readonly string[] | undefined
  readonly discardAndLeave: () => void
  readonly cancel: () => void
}

/** Signing out needs a connection, waits until what was written is sent, and asks before anything is dropped. */
export function useSignOut(client: Client, onSignedOut: () => Promise<void>, show: (text: string) => void): SignOut {
  const [unsent, setUnsent] = useState<readonly string[]>()

  const signOut = async (discardUnsent: boolean) => {
    setUnsent(undefined)
    try {
      await client.deauthenticate({ discardUnsent })
      clearRoute()
      await onSignedOut()
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error
      if (error.code === 'unsent_work') setUnsent(error.entries.map(describe))
      else if (error.code === 'offline' || error.code === 'unreachable') show(NEEDS_CONNECTION)
      else show(faultText(error))
    }
  }

  return {
    start: () => void signOut(false),
    unsent,
    discardAndLeave: () => void signOut(true),
    cancel: () => setUnsent(undefined),
  }
}

const NEEDS_CONNECTION = 'You are offline. Signing out needs a connection, so that nothing you wrote is lost.'

const labels: Record<OutboxEntry['name'], string> = {
  'create-conversation': 'A new conversation',
  'send-message': 'A message',
  'mark-messages': 'What you have read',
  'update-conversation': 'A change of a conversation',
  'delete-conversation': 'A conversation to be deleted',
  'delete-message': 'A message to be deleted',
}

function describe({ name, input }: OutboxEntry): string {
  const texts = 'parts' in input ? input.parts.map((part) => part.body).join('\n') : ''
  return texts || labels[name]
}

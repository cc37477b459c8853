import type { Client } from '@parley/client'
import { useEffect } from 'react'
import { describeEntry } from './describe-entry.ts'
import { clearRoute } from './use-route.ts'

/** Signed out without having asked for it: says so, and hands back what was never sent. */
export function useLostSession(client: Client, tell: (text: string) => void): void {
  useEffect(
    () =>
      client.on('deauthenticated', ({ reason, unsent }) => {
        if (reason === 'asked') return
        clearRoute()
        const texts = unsent.map((entry) => `“${describeEntry(entry)}”`)
        const lost = texts.length > 0 ? ` This had not been sent yet: ${texts.join(', ')}` : ''
        tell(`Your session has ended. Sign in again to go on.${lost}`)
      }),
    [client, tell],
  )
}

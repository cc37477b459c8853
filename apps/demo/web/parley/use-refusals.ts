import type { Client } from '@parley/client'
import { useEffect } from 'react'

/**
 * What the server refused for good. Messages show it themselves and offer to try again; of anything else the person is
 * told, and the operation is given up.
 */
export function useRefusals(
  client: Client,
  openId: string | undefined,
  open: (id: string | undefined) => void,
  show: (text: string) => void,
): void {
  useEffect(
    () =>
      client.on('operation-failed', ({ entries }) => {
        for (const { id, name, state } of entries) {
          if (name === 'send-message') continue
          if (state.state === 'failed' && name !== 'mark-messages') show(state.error.message)
          if (name !== 'create-conversation') client.outbox.discard(id).catch(() => {})
        }
      }),
    [client, show],
  )
  useEffect(
    () =>
      client.on('relabelled', ({ from, to }) => {
        if (openId === from) open(to)
      }),
    [client, openId, open],
  )
}

import type { Client, ConnectionState as Line } from '@parley/client'
import { useState } from 'react'
import type { ConnectionState } from '../model/chat.ts'
import { chooseOffline, isOfflineChosen } from './offline-choice.ts'
import { useClientValue } from './use-client-value.ts'

export interface Connection {
  readonly state: ConnectionState
  /** The offline switch stands on offline. */
  readonly isCut: boolean
  readonly setOnline: (isOnline: boolean) => void
}

export function useConnection(client: Client): Connection {
  const state = useClientValue(client, ['connection', 'state'], ({ connection }) => toState(connection))
  const [isCut, setCut] = useState(isOfflineChosen)
  const setOnline = (isOnline: boolean) => {
    chooseOffline(!isOnline)
    setCut(!isOnline)
    if (isOnline) client.connect()
    else client.disconnect()
  }
  return { state, isCut, setOnline }
}

/** Tries after the first are only told of when they succeed: a label that flickers says less than one that stands. */
function toState(line: Line): ConnectionState {
  switch (line.state) {
    case 'live':
    case 'probing':
      return 'online'
    case 'connecting':
    case 'greeting':
      return line.attempt === 0 ? 'connecting' : 'offline'
    case 'waiting':
    case 'stopped':
    case 'locked-out':
      return 'offline'
  }
}

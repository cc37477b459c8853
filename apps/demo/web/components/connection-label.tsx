import type { ConnectionState } from '../model/chat.ts'

const texts: Record<ConnectionState, string> = {
  online: 'Online',
  connecting: 'Connecting…',
  offline: 'Offline',
}

export function ConnectionLabel({ state }: { state: ConnectionState }) {
  return (
    <span className="connection" data-state={state} role="status">
      {texts[state]}
    </span>
  )
}

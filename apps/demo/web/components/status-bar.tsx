import type { ConnectionState } from '../model/chat.ts'
import { Icon } from './icon.tsx'

/** Above the messages while there is no connection. */
export function StatusBar({ connection, waiting }: { connection: ConnectionState; waiting: number }) {
  if (connection !== 'offline') return null
  const what = waiting === 1 ? '1 message waits' : `${waiting} messages wait`
  return (
    <div className="status-bar">
      <Icon name="offline" size={17} />
      {waiting > 0 ? `Offline – ${what} here until you are back` : 'Offline – your messages wait here'}
    </div>
  )
}

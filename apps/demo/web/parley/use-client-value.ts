import type { Client, ClientEvents } from '@parley/client'
import { useEffect, useState } from 'react'

/** Something the client tells, read again whenever one of its events says that it may have changed. */
export function useClientValue<T>(
  client: Client,
  events: readonly (keyof ClientEvents)[],
  read: (client: Client) => T,
): T {
  const [value, setValue] = useState(() => read(client))
  // biome-ignore lint/correctness/useExhaustiveDependencies: events and read are written where the hook is called
  useEffect(() => {
    const update = () => setValue(read(client))
    const stops = events.map((name) => client.on(name, update))
    update()
    return () => {
      for (const stop of stops) stop()
    }
  }, [client])
  return value
}

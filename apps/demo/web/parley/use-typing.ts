import type { Client } from '@parley/client'
import { useEffect, useState } from 'react'
import { personName } from '../model/names.ts'

/** Conversation → names of the others who type there now. */
export type Typing = ReadonlyMap<string, readonly string[]>

export function useTyping(client: Client): Typing {
  const [typing, setTyping] = useState<Typing>(new Map())
  useEffect(
    () =>
      client.on('typing', (event) => {
        const names = event.typing.map((person) => personName(person.display_name, person.user_id))
        setTyping((before) => new Map(before).set(event.conversation, names))
      }),
    [client],
  )
  return typing
}

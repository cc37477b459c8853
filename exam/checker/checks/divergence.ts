import { type Check, type Copy, found } from '../history.ts'

/**
 * C4: a position of a conversation is one message and a sequence of a stream is one row, whoever is asked. Inboxes are
 * private, so only those of one identity are compared.
 */
export const divergence: Check = ({ store, devices }) => {
  const names = new Map<string, string>()
  const differing: string[] = []
  const look = (place: string, what: string, side: string) => {
    const known = names.get(place)
    if (known === undefined) names.set(place, what)
    else if (known !== what) differing.push(`${place} is ${what} on ${side} and ${known} elsewhere`)
  }
  const lookAt = (side: string, identity: string, copy: Copy) => {
    for (const { stream, key, row } of copy.rows) {
      const name = stream === 'inbox' ? `inbox of ${identity}` : stream
      look(`${name} #${row.sequence}`, key, side)
      if (row.type === 'message') look(`${name} at ${row.position}`, row.id, side)
    }
  }
  for (const { identity, copy } of store) lookAt('the store', identity, copy)
  for (const { name, identity, copy } of devices) lookAt(name, identity, copy)
  return found('C4', 'places mean different things', differing)
}

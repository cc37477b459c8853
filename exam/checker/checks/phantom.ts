import { type Check, found, messagesOf, sendsOf } from '../history.ts'

/** C2: nothing is there that nobody asked for, or that was refused. */
export const phantom: Check = ({ operations, store, devices }) => {
  const asked = new Map(sendsOf(operations).map((one) => [one.message, one]))
  const sides = [
    ...store.map(({ identity, copy }) => ({ name: `the store, for ${identity}`, copy })),
    ...devices.map(({ name, copy }) => ({ name, copy })),
  ]
  return sides.flatMap(({ name, copy }) => {
    const ids = messagesOf(copy).map(({ row }) => row.id as string)
    const uninvited = ids.filter((id) => !asked.has(id))
    const refused = ids.filter((id) => asked.get(id)?.outcome.state === 'failed')
    return [
      ...found('C2', `never asked for, yet in ${name}`, uninvited),
      ...found('C2', `refused, yet in ${name}`, refused),
    ]
  })
}

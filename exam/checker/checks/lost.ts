import { type Check, type Finding, found, type History, messagesOf, sendsOf } from '../history.ts'

/** C1: whatever was acknowledged is in the store, and on every device that was entitled to it throughout. */
export const lost: Check = (history) => [...lostInStore(history), ...lostOnDevices(history)]

function lostInStore({ operations, store }: History): readonly Finding[] {
  const stored = new Set(store.flatMap(({ copy }) => messagesOf(copy).map(({ row }) => row.id as string)))
  const missing = acknowledgedMessages(operations).filter(({ message }) => !stored.has(message))
  return found(
    'C1',
    'acknowledged and not in the store',
    missing.map(({ body, message }) => body ?? message),
  )
}

function lostOnDevices({ operations, devices, members }: History): readonly Finding[] {
  const sent = acknowledgedMessages(operations)
  return devices.flatMap(({ name, identity, copy }) => {
    const held = new Set(messagesOf(copy).map(({ row }) => row.id as string))
    const missing = sent.filter(
      ({ conversation, message }) => members[conversation]?.includes(identity) && !held.has(message),
    )
    return found(
      'C1',
      `acknowledged and not on ${name}`,
      missing.map(({ body, message }) => body ?? message),
    )
  })
}

const acknowledgedMessages = (operations: History['operations']) =>
  sendsOf(operations).filter(({ outcome }) => outcome.state === 'ok')

import { type Check, type DeviceRecord, found, messagesOf } from '../history.ts'

/** C7: once a screen showed a message as sent it stays, unless somebody asked for it, or its conversation, to go. */
export const vanished: Check = ({ operations, devices, members }) => {
  const deletions = operations.filter(({ name }) => name === 'delete-message' || name === 'delete-conversation')
  const mayGo = new Set(deletions.map(({ message, conversation }) => message ?? conversation))
  return devices.flatMap((device) =>
    found(
      'C7',
      `messages vanished from ${device.name}`,
      gone(device)
        .filter(
          ({ message, conversation }) =>
            members[conversation]?.includes(device.identity) && !mayGo.has(message) && !mayGo.has(conversation),
        )
        .map(({ message }) => message),
    ),
  )
}

function gone({ shown, arrivals, copy }: DeviceRecord) {
  const held = new Set(messagesOf(copy).map(({ row }) => row.id as string))
  const arrived = new Map(arrivals.map(({ message, conversation }) => [message, conversation]))
  const absent = [...arrived].flatMap(([message, conversation]) =>
    held.has(message) ? [] : [{ message, conversation }],
  )
  return [...absent, ...shown.filter(isVanishing(new Set()))]
}

/** Taken from the screen, or shown as on its way again, after it was shown as sent. */
function isVanishing(sent: Set<string>) {
  return ({ type, status, message }: DeviceRecord['shown'][number]) => {
    if (type === 'delete') return true
    if (status === 'sent') sent.add(message)
    return status !== 'sent' && sent.has(message)
  }
}

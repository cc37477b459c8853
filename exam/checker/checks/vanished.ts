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
  const sent = new Map<string, string>()
  for (const { message, conversation } of arrivals) sent.set(message, conversation)
  const fleeting: { readonly message: string; readonly conversation: string }[] = []
  for (const { type, status, message, conversation } of shown) {
    if (type === 'delete') {
      if (sent.has(message)) fleeting.push({ message, conversation })
    } else if (status === 'sent') sent.set(message, conversation)
    else if (sent.has(message)) fleeting.push({ message, conversation })
  }
  const absent = [...sent].flatMap(([message, conversation]) => (held.has(message) ? [] : [{ message, conversation }]))
  return [...fleeting, ...absent]
}

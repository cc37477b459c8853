import { type Check, type Copy, found, type History, messagesOf } from '../history.ts'

/** C5: at rest, positions are 1, 2, 3 … wherever somebody was there from the start, and nobody is behind a stream. */
export const holes: Check = (history) => [
  ...history.store.flatMap(({ identity, copy }) => holesIn(`the store, for ${identity}`, identity, copy, history)),
  ...history.devices.flatMap(({ name, identity, copy }) => [
    ...holesIn(name, identity, copy, history),
    ...found('C5', `streams behind on ${name}`, behind(copy)),
  ]),
]

function holesIn(side: string, identity: string, copy: Copy, { members }: History) {
  const positions = new Map<string, number[]>()
  for (const { conversation, row } of messagesOf(copy)) {
    const known = positions.get(conversation) ?? []
    known.push(row.position)
    positions.set(conversation, known)
  }
  const broken = [...positions].flatMap(([conversation, list]) => {
    if (!members[conversation]?.includes(identity)) return []
    const at = list.sort((a, b) => a - b).findIndex((position, index) => position !== index + 1)
    return at === -1 ? [] : [`${conversation} from ${at + 1} on`]
  })
  return found('C5', `holes in ${side}`, broken)
}

const behind = (copy: Copy) =>
  copy.streams.flatMap(({ stream, sequence, head }) => (sequence < head ? [`${stream} at ${sequence} of ${head}`] : []))

import { type Check, type Copy, found, messagesOf } from '../history.ts'

/** C3: one operation has at most one message as its effect, whether told by its id or by what it says. */
export const duplicate: Check = ({ store, devices }) =>
  [
    ...store.map(({ identity, copy }) => ({ name: `the store, for ${identity}`, copy })),
    ...devices.map(({ name, copy }) => ({ name, copy })),
  ].flatMap(({ name, copy }) => [
    ...found('C3', `messages twice in ${name}`, repeated(idsOf(copy))),
    ...found('C3', `texts twice in ${name}`, repeated(textsOf(copy))),
  ])

const idsOf = (copy: Copy) => messagesOf(copy).map(({ row }) => row.id as string)
const textsOf = (copy: Copy) => messagesOf(copy).flatMap(({ row }) => (row.parts[0] ? [row.parts[0].body] : []))

function repeated(items: readonly string[]): string[] {
  const seen = new Set<string>()
  return items.filter((item) => seen.size === seen.add(item).size)
}

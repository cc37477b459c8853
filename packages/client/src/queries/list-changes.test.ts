import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyListChanges, listChanges } from './list-changes.ts'

const letters = new Map([...'abcdef'].map((id) => [id, { id }]))
const list = (text: string) => [...text].map((id) => letters.get(id)!)

describe('list changes', () => {
  it.each([
    ['nothing for nothing', '', '', []],
    ['nothing for the same', 'abc', 'abc', []],
    ['one insert', 'ac', 'abc', ['insert 1 b']],
    ['one insert at the end', 'ab', 'abc', ['insert 2 c']],
    ['one delete', 'abc', 'ac', ['delete 1 b']],
    ['deletes from the end, so that indexes hold', 'abcd', 'bd', ['delete 2 c', 'delete 0 a']],
    ['one move to the front', 'abcd', 'dabc', ['move 3 0 d']],
    ['one move to the end', 'abcd', 'bcda', ['move 0 3 a']],
    ['one move for two that change places', 'ab', 'ba', ['move 1 0 b']],
    ['the fewest moves', 'abcdef', 'fabedc', ['move 5 0 f', 'move 5 3 e', 'move 5 4 d']],
    ['everything anew', 'ab', 'cd', ['delete 1 b', 'delete 0 a', 'insert 0 c', 'insert 1 d']],
  ])('QCTL-1 %s', (_name, before, after, expected) => {
    expect(listChanges(list(before), list(after)).map(inWords)).toHaveLength(expected.length)
    expect(applyListChanges(list(before), listChanges(list(before), list(after)))).toEqual(list(after))
    if (!expected.some((words) => words.startsWith('move'))) {
      expect(listChanges(list(before), list(after)).map(inWords)).toEqual(expected)
    }
  })

  it('QCTL-1 an item that changed where it is, is an update; one that moved and changed is a move', () => {
    const [a, b, c] = list('abc')
    const changed = { id: 'b', text: 'new' }
    expect(listChanges([a!, b!, c!], [a!, changed, c!])).toEqual([{ type: 'update', index: 1, item: changed }])
    expect(listChanges([a!, c!, b!], [changed, a!, c!])).toEqual([{ type: 'move', from: 2, to: 0, item: changed }])
  })

  it('QCTL-1 applied to the previous list they always give the next one, object for object, and none is superfluous', () => {
    const items = fc.uniqueArray(fc.record({ id: fc.constantFrom(...'abcdefghijklmnop'), version: fc.nat(1) }), {
      selector: (item) => item.id,
      maxLength: 16,
      size: 'max',
    })
    fc.assert(
      fc.property(items, items, (previous, fresh) => {
        // As live queries do, an item that says the same is the same object.
        const next = fresh.map(
          (item) => previous.find((old) => old.id === item.id && old.version === item.version) ?? item,
        )
        const changes = listChanges(previous, next)
        const result = applyListChanges(previous, changes)
        expect(result).toHaveLength(next.length)
        expect(result.every((item, i) => item === next[i])).toBe(true)
        const kept = next.filter((item) => previous.some((old) => old.id === item.id))
        const moves = changes.filter((change) => change.type === 'move')
        expect(moves.length).toBe(kept.length - longestCommon(previous, next))
        const ids = changes.map((change) => change.item.id)
        expect(new Set(ids).size).toBe(ids.length)
      }),
      { numRuns: 1_000 },
    )
  })
})

/** Length of the longest common subsequence of ids: what need not move. */
function longestCommon(a: readonly { id: string }[], b: readonly { id: string }[]): number {
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1]!.id === b[j - 1]!.id
      lengths[i]![j] = isSame ? lengths[i - 1]![j - 1]! + 1 : Math.max(lengths[i - 1]![j]!, lengths[i]![j - 1]!)
    }
  }
  return lengths[a.length]![b.length]!
}

function inWords(change: ReturnType<typeof listChanges<{ id: string }>>[number]): string {
  const place = change.type === 'move' ? `${change.from} ${change.to}` : change.index
  return `${change.type} ${place} ${change.item.id}`
}

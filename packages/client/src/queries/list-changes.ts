/**
 * One step from an old list to a new one. Steps are meant to be done one after the other: each index counts in the list
 * as the steps before have left it. `move` takes the item out at `from` and puts it in at `to`; it may have changed too.
 */
export type ListChange<T> =
  | { readonly type: 'insert'; readonly index: number; readonly item: T }
  | { readonly type: 'delete'; readonly index: number; readonly item: T }
  | { readonly type: 'move'; readonly from: number; readonly to: number; readonly item: T }
  | { readonly type: 'update'; readonly index: number; readonly item: T }

interface Item {
  readonly id: string
}

/** The fewest steps that lead from one list to the other; items are the same if their ids are. */
export function listChanges<T extends Item>(previous: readonly T[], next: readonly T[]): ListChange<T>[] {
  const changes: ListChange<T>[] = []
  const places = new Map(next.map((item, i) => [item.id, i]))
  const list = [...previous]
  for (let index = list.length - 1; index >= 0; index--) {
    const item = list[index]!
    if (places.has(item.id)) continue
    list.splice(index, 1)
    changes.push({ type: 'delete', index, item })
  }
  const survivors = new Set(list.map((item) => item.id))
  const staying = longestRising(list.map((item) => places.get(item.id)!))
  // Where the item before is now. What is between it and the next staying one will move away in its turn.
  let at = -1
  for (const [i, item] of next.entries()) {
    if (staying.has(i)) {
      at = indexOf(list, item, at + 1)
      continue
    }
    const from = survivors.has(item.id) ? indexOf(list, item, 0) : -1
    if (from >= 0) list.splice(from, 1)
    if (from >= 0 && from < at) at -= 1
    at += 1
    list.splice(at, 0, item)
    changes.push(from < 0 ? { type: 'insert', index: at, item } : { type: 'move', from, to: at, item })
  }
  for (const [index, item] of next.entries()) {
    if (list[index] !== item) changes.push({ type: 'update', index, item })
  }
  return changes
}

/** Does the steps on a copy of the list. */
export function applyListChanges<T>(list: readonly T[], changes: readonly ListChange<T>[]): T[] {
  const result = [...list]
  for (const change of changes) {
    if (change.type === 'insert') result.splice(change.index, 0, change.item)
    else if (change.type === 'delete') result.splice(change.index, 1)
    else if (change.type === 'update') result[change.index] = change.item
    else {
      result.splice(change.from, 1)
      result.splice(change.to, 0, change.item)
    }
  }
  return result
}

function indexOf(list: readonly Item[], { id }: Item, from: number): number {
  for (let i = from; i < list.length; i++) if (list[i]!.id === id) return i
  return -1
}

/** A longest choice of the numbers that rises from left to right: what need not move. Patience sorting. */
function longestRising(numbers: readonly number[]): Set<number> {
  /** By length: the smallest number that a rising choice of that length can end with, as an index into `numbers`. */
  const ends: number[] = []
  const before: (number | undefined)[] = []
  for (const [i, number] of numbers.entries()) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (numbers[ends[middle]!]! < number) low = middle + 1
      else high = middle
    }
    before[i] = ends[low - 1]
    ends[low] = i
  }
  const rising = new Set<number>()
  for (let i = ends.at(-1); i !== undefined; i = before[i]) rising.add(numbers[i]!)
  return rising
}

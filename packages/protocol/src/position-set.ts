/**
 * A set of message positions, kept as sorted, disjoint, inclusive ranges in one flat array: `[1,57, 60,60]` is
 * 1 to 57 and 60. It is what "read", "delivered", "hidden" and "absent" are made of: nearly always one range, a
 * watermark, and for a while some islands above it, which melt into it as the gaps close.
 *
 * Values are plain JSON. Every function returns a new array, or the same one when nothing changed.
 */
export type PositionSet = readonly number[]

export const EMPTY_POSITIONS: PositionSet = []

/** Most ranges of a receipt mark; see {@link boundPositions}. */
export const MAX_POSITION_RANGES = 256
/** Most ranges of any set on the wire. */
const MAX_WIRE_RANGES = 4_096

/** Adds `from` to `to`, both included. */
export function addPositions(set: PositionSet, from: number, to: number): PositionSet {
  if (to < from) return set
  if (coversRange(set, from, to)) return set
  const result: number[] = []
  let low = from
  let high = to
  let i = 0
  for (; i < set.length && set[i + 1]! < low - 1; i += 2) result.push(set[i]!, set[i + 1]!)
  for (; i < set.length && set[i]! <= high + 1; i += 2) {
    low = Math.min(low, set[i]!)
    high = Math.max(high, set[i + 1]!)
  }
  result.push(low, high)
  for (; i < set.length; i += 2) result.push(set[i]!, set[i + 1]!)
  return result
}

/** Everything from the first position up to `position`. */
export function addUpTo(set: PositionSet, position: number): PositionSet {
  return addPositions(set, 1, position)
}

export function unionPositions(a: PositionSet, b: PositionSet): PositionSet {
  let result = a
  for (let i = 0; i < b.length; i += 2) result = addPositions(result, b[i]!, b[i + 1]!)
  return result
}

export function hasPosition(set: PositionSet, position: number): boolean {
  return coversRange(set, position, position)
}

/** How many positions the set holds. */
export function countPositions(set: PositionSet): number {
  let count = 0
  for (let i = 0; i < set.length; i += 2) count += set[i + 1]! - set[i]! + 1
  return count
}

/** The positions from 1 to `head` that are not in the set. */
export function missingPositions(set: PositionSet, head: number): PositionSet {
  const result: number[] = []
  let next = 1
  for (let i = 0; i < set.length && next <= head; i += 2) {
    if (set[i]! > next) result.push(next, Math.min(set[i]! - 1, head))
    next = Math.max(next, set[i + 1]! + 1)
  }
  if (next <= head) result.push(next, head)
  return result
}

/** The watermark: the greatest position up to which nothing is missing, 0 if position 1 is missing. */
export function watermark(set: PositionSet): number {
  return set.length > 0 && set[0]! <= 1 ? set[1]! : 0
}

export function samePositions(a: PositionSet, b: PositionSet): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]))
}

/** Sorted pairs of safe positive integers, disjoint and not touching: what the wire may carry. */
export function isPositionSet(value: unknown): value is PositionSet {
  if (!Array.isArray(value) || value.length % 2 !== 0 || value.length > 2 * MAX_WIRE_RANGES) return false
  let previous = -1
  for (let i = 0; i < value.length; i += 2) {
    const [from, to] = [value[i], value[i + 1]]
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 1 || to < from || from <= previous + 1) {
      return false
    }
    previous = to
  }
  return true
}

function coversRange(set: PositionSet, from: number, to: number): boolean {
  let low = 0
  let high = set.length / 2 - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    if (set[2 * middle + 1]! < from) low = middle + 1
    else if (set[2 * middle]! > from) high = middle - 1
    else return set[2 * middle + 1]! >= to
  }
  return false
}

/**
 * Keeps a receipt mark small: past {@link MAX_POSITION_RANGES} its lowest gaps are closed, since the oldest islands are
 * the least missed. Never for what is hidden: closing a gap there would take messages away.
 */
export function boundPositions(set: PositionSet): PositionSet {
  const surplus = set.length / 2 - MAX_POSITION_RANGES
  return surplus > 0 ? [set[0]!, ...set.slice(2 * surplus + 1)] : set
}

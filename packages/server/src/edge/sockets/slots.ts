/**
 * As many moments as there are people, evenly over a window from 0 to its end, in no order: whoever gets one cannot be told
 * from the next, and no two halves of the window see more of them than the other.
 */
export function slotsWithin(windowMs: number, count: number, chance: () => number): number[] {
  const slots = Array.from({ length: count }, (_, i) => Math.round((windowMs * i) / Math.max(1, count - 1)))
  for (let i = slots.length - 1; i > 0; i--) {
    const j = Math.floor(chance() * (i + 1))
    ;[slots[i], slots[j]] = [slots[j]!, slots[i]!]
  }
  return slots
}

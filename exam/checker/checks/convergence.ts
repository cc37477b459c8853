import { canonical } from '../canonical.ts'
import { type Check, type Copy, type Finding, found } from '../history.ts'

/** After healing, everybody has the same within this. */
export const CONVERGE_MS = 5_000

/** C8: a device holds what the store holds for its identity, row by row, and soon after the fault was over. */
export const convergence: Check = ({ devices, store, healedAt, convergedAt, slowness = 1, graceMs = 0 }) => [
  ...devices.flatMap(({ name, identity, copy }) => {
    const view = store.find((one) => one.identity === identity)
    return view ? found('C8', `rows differ on ${name}`, differences(copy, view.copy)) : []
  }),
  ...(healedAt === undefined ? [] : lateness(healedAt, convergedAt, CONVERGE_MS * slowness + graceMs)),
]

/** What one side has and the other has not, or otherwise. */
export function differences(copy: Copy, wanted: Copy): string[] {
  const [have, want] = [rowsByKey(copy), rowsByKey(wanted)]
  const differing: string[] = []
  for (const [key, text] of want) {
    const own = have.get(key)
    if (own === undefined) differing.push(`${key} is missing`)
    else if (own !== text) differing.push(`${key} is ${own} and not ${text}`)
  }
  for (const key of have.keys()) if (!want.has(key)) differing.push(`${key} is too much`)
  return differing
}

const rowsByKey = (copy: Copy) => new Map(copy.rows.map(({ stream, key, row }) => [`${stream} ${key}`, canonical(row)]))

function lateness(healedAt: number, convergedAt: number | undefined, limitMs: number): readonly Finding[] {
  if (convergedAt === undefined) return [{ check: 'C8', sentence: 'the devices never became equal to the store' }]
  const tookMs = convergedAt - healedAt
  if (tookMs <= limitMs) return []
  return [{ check: 'C8', sentence: `the devices were level only ${Math.round(tookMs)} ms after the fault` }]
}

import { createHash } from 'node:crypto'
import type { Copy } from './history.ts'

/** JSON whose members are in alphabetical order: the same for equal values, however they were put together. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** A copy in one number: equal for equal copies. */
export function hashOfCopy(copy: Copy): string {
  const rows = copy.rows.map(({ stream, key, row }) => `${stream} ${key} ${canonical(row)}`).sort()
  return createHash('sha256').update(rows.join('\n')).digest('hex')
}

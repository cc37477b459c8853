import { readdirSync } from 'node:fs'
import type { Row } from '../row.ts'

const folder = new URL('../rows/', import.meta.url)

/** Every row there is, by number; whoever adds a file to `rows/` has added a row. */
export async function loadRows(): Promise<readonly Row[]> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const modules = await Promise.all(
    files.map((name) => import(new URL(name, folder).href) as Promise<{ row?: Row; rows?: readonly Row[] }>),
  )
  return modules.flatMap(({ row, rows }) => [...(row ? [row] : []), ...(rows ?? [])]).sort((a, b) => a.id - b.id)
}

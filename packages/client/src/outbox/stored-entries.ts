/** The outbox as it lies in the replica: for whoever goes through it, page by page, and for what is taken out of it. */
import type { OutboxEntry, Replica, Write } from '../replica/replica.ts'
import { put, remove } from '../replica/writes.ts'
import { isQuiet } from './summary.ts'

/** How many entries are read at a time when all are gone through. */
const SCAN_PAGE = 500

/** Visits every entry, by order. */
export async function forEachEntry(replica: Replica, visit: (entry: OutboxEntry) => void): Promise<void> {
  for (let from = 0; ; ) {
    const page = await replica.scan('outbox', { from, limit: SCAN_PAGE })
    for (const entry of page) visit(entry)
    if (page.length < SCAN_PAGE) return
    from = page.at(-1)!.order + 1
  }
}

/** What the app asked for and the server has not carried out, by order. */
export async function listUnsent(replica: Replica): Promise<OutboxEntry[]> {
  const entries: OutboxEntry[] = []
  await forEachEntry(replica, (entry) => {
    if (!isQuiet(entry) && entry.state.state !== 'acknowledged') entries.push(entry)
  })
  return entries
}

export const putEntries = (entries: readonly OutboxEntry[]): Write[] => entries.map((row) => put('outbox', row))

export const deleteEntries = (entries: readonly { readonly order: number }[]): Write[] =>
  entries.map(({ order }) => remove('outbox', [order]))

import type { CaughtUp } from './copy.ts'
import { addDigest, areEqual, differences, digestOf, keyText, NO_ROWS } from './digests.ts'
import { Counter, type TransferProgress } from './progress.ts'
import { TransferRefused } from './refusal.ts'
import type { Source } from './source.ts'
import { type Key, keyOf, type Table, tableOf, tables } from './tables.ts'
import type { Target } from './target.ts'

/** Rows whose digests are asked for at once. */
const COMPARED_AT_ONCE = 5_000

/**
 * Compares every row of every table, stretch by stretch: how many there are and what their digests add up to, on both
 * sides. Stretches follow each other without a gap from before the first key to after the last one, so a row that is in
 * PostgreSQL alone is found as well. To be called in a snapshot of the source that PostgreSQL has caught up with.
 */
export async function compareAll(
  source: Source,
  target: Target,
  say: (progress: TransferProgress) => void,
): Promise<void> {
  const counter = new Counter('comparing', { total: tables.reduce((sum, table) => sum + source.count(table), 0) }, say)
  for (const table of tables) {
    let after: Key | undefined
    for (let isLast = false; !isLast; ) {
      const portion = source.portion(table, after)
      isLast = portion.isLast
      const upTo = isLast ? undefined : portion.last
      const here = portion.rows.reduce((sums, row) => addDigest(sums, digestOf(table, row)), NO_ROWS)
      if (!areEqual(here, await target.sums(table, after, upTo))) {
        const digests = new Map(portion.rows.map((row) => [keyText(keyOf(table, row)), digestOf(table, row)]))
        throw different(differences(table, digests, await target.digestsBetween(table, after, upTo)))
      }
      after = portion.last ?? after
      counter.add(portion.rows.length)
    }
  }
  const [messages, ids] = [await target.count('messages'), await target.count('message_ids')]
  if (messages !== ids) throw different([`PostgreSQL has ${messages} messages and ${ids} ids of messages`])
}

/** Compares the rows that were carried over just now. To be called while nobody writes. */
export async function compareChanged(source: Source, target: Target, { keys }: CaughtUp): Promise<void> {
  for (const [name, changed] of keys) {
    const all = [...changed.values()]
    for (let from = 0; from < all.length; from += COMPARED_AT_ONCE) {
      await compareRows(source, target, tableOf(name), all.slice(from, from + COMPARED_AT_ONCE))
    }
  }
}

async function compareRows(source: Source, target: Target, table: Table, keys: readonly Key[]): Promise<void> {
  const rows = source.rowsOf(table, keys)
  const here = new Map(rows.map((row) => [keyText(keyOf(table, row)), digestOf(table, row)]))
  const found = differences(table, here, await target.digests(table, keys))
  if (found.length > 0) throw different(found)
}

const different = (found: readonly string[]) =>
  new TransferRefused(
    `What is in PostgreSQL is not what is in the store: ${found.join('; ')}. Nothing was switched over. ` +
      'Take this attempt back with --abandon, and begin anew.',
  )

/**
 * What the log's numbers lie above those of transactions: 0, unless the log began in another store, whose numbers had
 * come further than those of this PostgreSQL. Set before the first commit here, and never again.
 */
export const NUMBERS_ABOVE = `(SELECT s.value::bigint FROM parley.store s WHERE s.name = 'numbers_above')`

/**
 * How far the log is settled, as an expression: no transaction up to this number can still commit, and all that did are
 * in the same snapshot. A number of a transaction that is still running holds it back (the first term), and so does the
 * end of what was committed (the second): a number that was only ever taken may be given out again after a crash.
 *
 *     numbers   … 41 committed   42 running   43 committed   44 rolled back
 *     settled       ↑ 41: whoever keeps 41 hears of 42 and, once more, of 43
 */
export const SETTLED = `least(
  pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 + ${NUMBERS_ABOVE}, (SELECT coalesce(max(w.moved), 0) FROM parley.writers w))`

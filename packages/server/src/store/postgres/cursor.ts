/**
 * How far the log is settled, as an expression: no transaction up to this number can still commit, and all that did are
 * in the same snapshot. A number of a transaction that is still running holds it back (the first term), and so does the
 * end of what was committed (the second): a number that was only ever taken may be given out again after a crash.
 *
 *     numbers   … 41 committed   42 running   43 committed   44 rolled back
 *     settled       ↑ 41: whoever keeps 41 hears of 42 and, once more, of 43
 */
export const SETTLED = `least(
  pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, (SELECT coalesce(max(w.moved), 0) FROM parley.writers w))`

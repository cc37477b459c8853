import type { ClaimStore } from '../store.ts'
import type { Database } from './database.ts'

/** Who does what. A server that is told that it is not its turn writes nothing and locks nothing. */
export function postgresClaims(db: Database): ClaimStore {
  return {
    async claim(work, holder, ms) {
      const rows = await db.ask(CLAIM, [work, holder, ms / 1_000])
      return rows.length > 0
    },
  }
}

const UNTIL = 'clock_timestamp() + make_interval(secs => $3)'

/** Of several that come at once, the second waits for the first to commit and finds it taken. */
const CLAIM = `
  WITH kept AS (
    UPDATE parley.claims c SET holder = $2, until = ${UNTIL}
    WHERE c.work = $1 AND (c.holder = $2 OR c.until <= clock_timestamp())
    RETURNING 1),
  made AS (
    INSERT INTO parley.claims SELECT $1, $2, ${UNTIL}
    WHERE NOT EXISTS (SELECT 1 FROM parley.claims c WHERE c.work = $1)
    ON CONFLICT DO NOTHING
    RETURNING 1)
  SELECT 1 FROM kept UNION ALL SELECT 1 FROM made`

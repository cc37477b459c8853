import { StoreOpenError } from '../store.ts'
import type { Database } from './database.ts'
import { shownUrl } from './migrate.ts'

/**
 * How a server serves a database, as far as it concerns the others on it. `alone`: it came here from a folder, hears nobody
 * and is heard by nobody.
 */
export type Serving = 'alone' | 'with a bus' | 'without a bus'

/** What the connections of a process are called: others on the database, and its operator, read it there. */
export const connectionName = (serving?: Serving): string =>
  serving ? `parley ${process.pid} serves ${serving}` : `parley ${process.pid}`

/** Connections of a server that was killed end when PostgreSQL notices, which is at once or nearly so. */
const ENDING_MS = 3_000
const LOOK_MS = 100

/**
 * Looks at who else serves the database. Their connections say so, for exactly as long as they have any: nothing is left
 * behind by one that was killed, and one that is frozen is still there.
 * @throws StoreOpenError beside a server that serves alone
 */
export async function lookAround(
  db: Database,
  own: { readonly serving: Serving; readonly url: string },
  log: (message: string, details: Record<string, unknown>) => void,
): Promise<void> {
  const deadline = performance.now() + ENDING_MS
  let others = await othersServing(db)
  while (others.some(isAlone) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    others = await othersServing(db)
  }
  const alone = others.find(isAlone)
  if (alone) {
    throw new StoreOpenError(
      `The server ${alone.pid} serves ${shownUrl(own.url)} alone: it came there from a folder and hears of no other. ` +
        'Start it anew on the database first (--store instead of --data, and --bus if there are to be several), then this one.',
    )
  }
  const unlike = others.filter(({ serving }) => serving !== own.serving)
  if (unlike.length === 0) return
  const [sentence, pids] = [
    own.serving === 'with a bus' ? 'other servers on this store have no bus' : 'other servers on this store have a bus',
    unlike.map(({ pid }) => pid),
  ]
  log(`${sentence}: people hear late of what is said there. Give the same bus to all of them, or to none`, { pids })
}

interface Other {
  readonly pid: number
  readonly serving: Serving
}

const isAlone = ({ serving }: Other): boolean => serving === 'alone'

async function othersServing(db: Database): Promise<Other[]> {
  const rows = await db.ask(
    `SELECT DISTINCT a.application_name AS name FROM pg_stat_activity a
     WHERE a.datname = current_database() AND a.application_name LIKE 'parley % serves %'
       AND a.application_name NOT LIKE $1 || ' %'`,
    [connectionName()],
  )
  return rows.flatMap(({ name }) => {
    const [, pid, serving] = /^parley (\d+) serves (.+)$/.exec(name!)!
    return [{ pid: Number(pid), serving: serving as Serving }]
  })
}

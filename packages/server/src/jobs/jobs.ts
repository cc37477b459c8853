import { limits } from '@parley/protocol'
import type { Sessions } from '../authentication/sessions.ts'
import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import { ClaimedWork } from './claimed-work.ts'
import type { StorePulse } from './store-pulse.ts'

/** How often sessions that another process ended are looked for. */
const SWEEP_MS = 1_000
const PRUNE_MS = 10 * 60_000

/** What the clock starts: at every server, or at one of those that share the store. The answer stops it. */
export function startJobs(of: {
  readonly sessions: Sessions
  readonly store: Store
  readonly clock: Clock
  readonly pulse: StorePulse
  /** This server's name among the others. */
  readonly node: string
  readonly log: (message: string, details: Record<string, unknown>) => void
}): () => void {
  const { sessions, store, clock, pulse, node, log } = of
  const sweep = async () => {
    await sessions.sweep()
    pulse.beat()
  }
  const prune = () => store.log.prune({ operationsMs: clock.now() - limits.operationMemoryMs, noncesMs: clock.now() })
  const pruning = new ClaimedWork({
    ...{ clock, log, holder: node, name: 'pruning', everyMs: PRUNE_MS, work: prune },
    claims: store.claims,
  })
  const stopSweeping = every(SWEEP_MS, sweep)
  return () => {
    stopSweeping()
    pruning.stop()
  }

  /** Again and again, never twice at once; trouble is logged and waits for the next time. */
  function every(ms: number, job: () => Promise<void>): () => void {
    let isStopped = false
    let cancel = () => {}
    const arm = () => {
      cancel = clock.after(ms, () => {
        void job()
          .catch((error) => log('a job failed', { error: String(error) }))
          .then(() => {
            if (!isStopped) arm()
          })
      })
    }
    arm()
    return () => {
      isStopped = true
      cancel()
    }
  }
}

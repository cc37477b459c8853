import type { Bus } from './bus/bus.ts'
import { NoBus } from './bus/no-bus.ts'
import type { Clock } from './clock.ts'
import { type Store, StoreOpenError } from './store/store.ts'

/**
 * The bus of a server on a store that others may write to as well. Undefined where it is the only one and has nobody to
 * hear of.
 * @throws StoreOpenError for a bus that is of no use: the embedded store has one server
 */
export async function openBus(
  store: Store,
  options: {
    readonly address: string | undefined
    /** This server's name among the others. */
    readonly node: string
    readonly clock: Clock
    readonly log: (message: string, details: Record<string, unknown>) => void
  },
): Promise<Bus | undefined> {
  const { address, node, clock, log } = options
  if (store.hasOneWriter !== false) {
    if (address === undefined) return undefined
    throw new StoreOpenError('A bus joins servers on one PostgreSQL. The embedded store serves one: leave the bus out.')
  }
  if (address !== undefined) {
    // Most servers have no bus, and start the sooner without what speaks to one.
    const { NatsBus } = await import('./bus/nats/nats-bus.ts')
    return new NatsBus({ address, deployment: store.epoch, node, clock, log })
  }
  log('no bus: what other servers on this store commit is heard of up to two seconds later', {})
  return new NoBus(clock.now())
}

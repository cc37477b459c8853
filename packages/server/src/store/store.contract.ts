/** What every store keeps, whatever it is made of. An adapter's own test names it and says how to open it. */
import { afterEach, beforeEach } from 'vitest'
import { appsContract } from './contract/apps.contract.ts'
import { listsContract } from './contract/lists.contract.ts'
import { logContract } from './contract/log.contract.ts'
import { movedContract } from './contract/moved.contract.ts'
import { streamsContract } from './contract/streams.contract.ts'
import type { Store } from './store.ts'

/**
 * @param writers whether one process at a time may write, or many: then the store gives out cursors itself, compares what
 *   a commit rests on, and its cursors rise without being dense
 */
export function storeContract(open: () => Promise<Store>, writers: 'one' | 'many' = 'one'): void {
  let store: Store
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  logContract(() => store, writers)
  movedContract(() => store)
  streamsContract(() => store)
  listsContract(() => store)
  appsContract(() => store, open)
}

import type { Store } from '../store/store.ts'
import { secondsHistogram } from './histogram.ts'
import type { Tally } from './tally.ts'
import { type StoreMethod, watchedStore } from './watched-store.ts'

/** A store whose every call is timed. Only where somebody looks: it costs two looks at the clock. */
export const timedStore = (store: Store, tally: Tally): Store =>
  watchedStore(store, (call, method) => timedMethod(call, method, tally))

function timedMethod(call: string, method: StoreMethod, tally: Tally): StoreMethod {
  const seconds = secondsHistogram()
  tally.storeCalls.set(call, seconds)
  return (...args) => {
    const from = performance.now()
    tally.storeCallsUnderWay++
    const done = () => {
      tally.storeCallsUnderWay--
      seconds.note((performance.now() - from) / 1_000)
    }
    const asked = method(...args)
    asked.then(done, () => {
      done()
      tally.storeErrors.add(call)
    })
    return asked
  }
}

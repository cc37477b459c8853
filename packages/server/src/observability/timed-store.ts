import type { Store } from '../store/store.ts'
import { secondsHistogram } from './histogram.ts'
import type { Tally } from './tally.ts'

type Method = (...args: unknown[]) => Promise<unknown>

/** A store whose every call is timed, whatever store it is. Only where somebody looks: it costs two looks at the clock. */
export function timedStore(store: Store, tally: Tally): Store {
  const { log, streams, lists, apps } = store
  const parts = {
    log: timed('log', log, tally),
    streams: timed('streams', streams, tally),
    lists: timed('lists', lists, tally),
    apps: timed('apps', apps, tally),
  }
  // Not a copy: what a store says of itself may change, as when it is moved.
  return new Proxy(store, { get: (target, key) => Reflect.get(key in parts ? parts : target, key) })
}

function timed<Part extends object>(name: string, part: Part, tally: Tally): Part {
  const methods = new Map<string, Method>()
  return new Proxy(part, {
    get(target, key, receiver) {
      const method = Reflect.get(target, key, receiver) as unknown
      if (typeof key !== 'string' || typeof method !== 'function') return method
      const known = methods.get(key)
      if (known) return known
      const wrapped = timedMethod(`${name}.${key}`, (...args) => method.apply(target, args), tally)
      methods.set(key, wrapped)
      return wrapped
    },
  })
}

function timedMethod(call: string, method: Method, tally: Tally): Method {
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

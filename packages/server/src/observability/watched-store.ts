import type { Store } from '../store/store.ts'

export type StoreMethod = (...args: unknown[]) => Promise<unknown>

/**
 * A store whose every call goes by somebody who looks on, whatever store it is.
 * @param watch is given each call's name, such as `log.commit`, and what it does; answers what is to be called instead
 */
export function watchedStore(store: Store, watch: (call: string, method: StoreMethod) => StoreMethod): Store {
  const { log, streams, lists, apps } = store
  const parts = {
    log: watched('log', log, watch),
    streams: watched('streams', streams, watch),
    lists: watched('lists', lists, watch),
    apps: watched('apps', apps, watch),
  }
  // Not a copy: what a store says of itself may change, as when it is moved.
  return new Proxy(store, { get: (target, key) => Reflect.get(key in parts ? parts : target, key) })
}

function watched<Part extends object>(
  name: string,
  part: Part,
  watch: (call: string, method: StoreMethod) => StoreMethod,
): Part {
  const methods = new Map<string, StoreMethod>()
  return new Proxy(part, {
    get(target, key, receiver) {
      const method = Reflect.get(target, key, receiver) as unknown
      if (typeof key !== 'string' || typeof method !== 'function') return method
      const known = methods.get(key)
      if (known) return known
      const instead = watch(`${name}.${key}`, (...args) => method.apply(target, args))
      methods.set(key, instead)
      return instead
    },
  })
}

import type { Replica, ReplicaStorage } from '@parley/client'
import { createMemoryStorage } from '@parley/client/memory'

/** Storage in memory for one device, and its replica, for a test that looks into it beside the client. */
export function storageToLookInto(): { readonly storage: ReplicaStorage; readonly replica: () => Promise<Replica> } {
  const memory = createMemoryStorage()
  let opened: Promise<Replica> | undefined
  const storage: ReplicaStorage = {
    open: (appId) => {
      opened = memory.open(appId)
      return opened
    },
    destroy: (appId) => memory.destroy(appId),
  }
  return {
    storage,
    replica: () => opened ?? Promise.reject(new Error('Nobody has signed in on this device.')),
  }
}

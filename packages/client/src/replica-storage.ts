import { createIndexedDbStorage } from './replica/indexeddb/index.ts'
import { createMemoryStorage } from './replica/memory/index.ts'
import type { ReplicaStorage } from './replica/replica.ts'

/** IndexedDB where it works; otherwise memory, and `onMemory` is told, since then nothing survives the page. */
export function systemStorage(onMemory: () => void): ReplicaStorage {
  if (typeof indexedDB === 'undefined') return createMemoryStorage()
  const durable = createIndexedDbStorage()
  let memory: ReplicaStorage | undefined
  return {
    async open(appId, options) {
      if (memory) return memory.open(appId, options)
      try {
        return await durable.open(appId, options)
      } catch (error) {
        if ((error as { code?: string }).code !== 'unavailable') throw error
        memory = createMemoryStorage()
        onMemory()
        return memory.open(appId, options)
      }
    },
    destroy: (appId) => (memory ?? durable).destroy(appId),
  }
}

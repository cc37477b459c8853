import { createIndexedDbStorage } from './replica/indexeddb/index.ts'
import type { ReplicaStorage } from './replica/replica.ts'

/**
 * IndexedDB where it works; otherwise memory, and `onMemory` is told, since then nothing survives the page. Memory is
 * fetched when it is needed, which for nearly everybody is never.
 */
export function systemStorage(onMemory: () => void): ReplicaStorage {
  const durable = createIndexedDbStorage()
  let memory: ReplicaStorage | undefined
  return {
    async open(appId, options) {
      try {
        if (!memory) return await durable.open(appId, options)
      } catch (error) {
        if ((error as { code?: string }).code !== 'unavailable') throw error
        const { createMemoryStorage } = await import('./replica/memory/index.ts')
        memory = createMemoryStorage()
        onMemory()
      }
      return memory.open(appId, options)
    },
    destroy: (appId) => (memory ?? durable).destroy(appId),
  }
}

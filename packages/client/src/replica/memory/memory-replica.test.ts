import { describe } from 'vitest'
import { replicaContract } from '../replica.contract.ts'
import { createMemoryStorage } from './index.ts'

describe('the replica in memory', () => {
  replicaContract(() => {
    const storage = createMemoryStorage()
    return { storage, restarted: () => storage }
  })
})

import { describe } from 'vitest'
import { storeContract } from '../store.contract.ts'
import { openMemoryStore } from './memory-store.ts'

describe('25 the store in memory', () => storeContract(async () => openMemoryStore()))

describe('25 the store in memory, for several writers', () =>
  storeContract(async () => openMemoryStore({ writers: 'many' }), 'many'))

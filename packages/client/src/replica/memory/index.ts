export { createMemoryStorage } from './memory-replica.ts'

export { createIndexedDbStorage } from './indexeddb-replica.ts'

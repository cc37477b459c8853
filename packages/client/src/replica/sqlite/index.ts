export { createSqliteStorage, type SqliteStorageOptions } from './sqlite-replica.ts'

export {
  type AddedKey,
  type Administration,
  AdministrationError,
  type CreatedApp,
  openAdministration,
} from './administration.ts'
export { type Clock, systemClock } from './clock.ts'
export type { MetricsPlace } from './observability/metrics-door.ts'
export type { Span, SpanOutcome, SpanStart, Tracing } from './observability/tracing.ts'
export type { StorePlace } from './open-store.ts'
export { type RunningServer, type ServerOptions, serve, startServer } from './server.ts'
export { openPostgresStore, type PostgresOptions } from './store/postgres/postgres-store.ts'
export { openSqliteStore, openThreadedSqliteStore, storeFile } from './store/sqlite/sqlite-store.ts'
export { type Store, StoreOpenError, StoreOutage } from './store/store.ts'
export {
  abandonMigration,
  migrateStore,
  type TransferOptions,
  type Transferred,
} from './transfer/migrate-store.ts'
export type { TransferProgress } from './transfer/progress.ts'
export { TransferRefused } from './transfer/refusal.ts'

export {
  type AddedKey,
  type Administration,
  AdministrationError,
  type CreatedApp,
  openAdministration,
} from './administration.ts'
export { type Clock, systemClock } from './clock.ts'
export { type RunningServer, type ServerOptions, serve, startServer } from './server.ts'
export { StoreOpenError } from './store/sqlite/database.ts'
export { openSqliteStore, openThreadedSqliteStore, storeFile } from './store/sqlite/sqlite-store.ts'
export { type Store, StoreOutage } from './store/store.ts'

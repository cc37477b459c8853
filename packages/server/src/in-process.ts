/**
 * The server without its doors, for whoever runs it inside another program: the simulator, and tests that crank
 * everything by hand. No promise of stability is made for these names.
 */
export { type AssembleOptions, assemble } from './assemble.ts'
export type { Clock } from './clock.ts'
export type { Edge } from './edge/edge.ts'
export { NativeConnection } from './edge/native/connection.ts'
export * as encode from './edge/native/encode.ts'
export type { Socket } from './edge/sockets/socket.ts'
export { listFrame, textOf } from './edge/sockets/text-frame.ts'
export type { AppKey, MessageRecord, ParticipantRecord } from './model/state.ts'
export { isActive } from './model/state.ts'
export type { Committed } from './operations/committed.ts'
export { WriteLane } from './operations/lane.ts'
export type { Outcome } from './operations/lane-request.ts'
export { Ledger } from './operations/ledger.ts'
export type { StreamMove } from './operations/moves.ts'
export { operations } from './operations/table.ts'
export { WorkingSet } from './operations/working-set.ts'
export { memoryApps } from './store/memory/apps.ts'
export { memoryLists } from './store/memory/lists.ts'
export { memoryLog } from './store/memory/log.ts'
export { memoryStreams } from './store/memory/streams.ts'
export { emptyTables, keyOf, type Tables } from './store/memory/tables.ts'
export {
  type Basis,
  CommitUnknown,
  MessageExists,
  type Place,
  Stale,
  type Store,
  StoreOutage,
  type Writes,
} from './store/store.ts'

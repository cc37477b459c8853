export { type Balancer, type BalancerOptions, startBalancer, type TargetState } from './balancer/balancer.ts'
export { FakeBrowser } from './browser/fake-browser.ts'
export type { Page } from './browser/page.ts'
export * from './fake-server/fake-log.ts'
export * from './fake-server/fake-server.ts'
export type { FrameFault, FrameRule } from './faults/frame-lane.ts'
export { type FrameProxy, type FrameProxyOptions, startFrameProxy } from './faults/frame-proxy.ts'
export { type Direction, startTcpProxy, type TcpProxy, type TcpProxyOptions } from './faults/tcp-proxy.ts'
export * from './hand-cranked-sockets.ts'
export { markupPayloads, terminalEscapes } from './hostile/markup.ts'
export { Oddities, oddFrame } from './hostile/odd-frames.ts'
export { jsonBombs, oddTexts, unstorableTexts } from './hostile/odd-texts.ts'
export { type RawAttack, type RawOutcome, rawAttacks, runRawAttack } from './hostile/raw-websocket.ts'
export { type BalancerProcess, startBalancerProcess } from './processes/balancer.ts'
export { type NatsOptions, type NatsServer, startNats, startNatsCluster } from './processes/nats.ts'
export {
  createApp,
  type ParleyApp,
  type ParleyOptions,
  type ParleyServer,
  parley,
  startParley,
} from './processes/parley.ts'
export {
  type PostgresOptions,
  type PostgresServer,
  type PostgresVersion,
  postgresVersions,
  startPostgres,
} from './processes/postgres.ts'
export { type ProcessExit, type ProcessOptions, type RunningProcess, startProcess } from './processes/start-process.ts'
export * from './seeded-chance.ts'
export { storageToLookInto } from './storage-to-look-into.ts'
export { until } from './until.ts'
export * from './virtual-clock.ts'

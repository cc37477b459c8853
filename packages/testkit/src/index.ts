export { type Direction, startTcpProxy, type TcpProxy, type TcpProxyOptions } from './faults/tcp-proxy.ts'
export { type ProcessExit, type ProcessOptions, type RunningProcess, startProcess } from './processes/start-process.ts'

/**
 * Devices that sign in, so many at a time: a nonce, a token for it, a session, a socket, a hello, a welcome. Each has
 * connections of its own, as devices do. Tokens are signed here, not on the server's account.
 */
import { latencies } from '../figures/statistics.ts'
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { HttpConnection } from './http.ts'
import { connect } from './people.ts'
import type { LoadSocket } from './socket.ts'
import { coresMeter, pause, task, tell } from './task.ts'

export interface SignInInput {
  readonly ready: ServerReady
  readonly atOnce: number
  readonly warmUpMs: number
  readonly measureMs: number
  /** HTTP connections are kept for the next device, as a proxy in front keeps them. */
  readonly isPooled: boolean
}

export interface SignInResult {
  readonly signIns: number
  readonly seconds: number
  readonly latencies: { readonly p50: number; readonly p95: number; readonly p99: number }
  readonly clientCores: number
}

/** Devices that stay; the oldest goes when another comes. */
const MAX_CONNECTED = 2_000

task<SignInInput>(async ({ ready, atOnce, warmUpMs, measureMs, isPooled }) => {
  const dialect = dialectOf(ready)
  const { port } = ready
  const connected: LoadSocket[] = []
  const times: number[] = []
  let count = 0
  let isMeasuring = false
  let isOver = false

  const person = async () => {
    const kept = isPooled ? new HttpConnection(port) : undefined
    while (!isOver) {
      const from = performance.now()
      const line = kept ?? (ready.kind === 'parley' ? new HttpConnection(port) : undefined)
      const hello = await dialect.hello(`u${count++}`, line)
      connected.push(await connect({ port, dialect, hello }))
      if (isMeasuring) times.push(performance.now() - from)
      if (!isPooled) line?.close()
      if (connected.length > MAX_CONNECTED) connected.shift()!.close()
    }
  }
  const all = Promise.all(Array.from({ length: atOnce }, person))
  await pause(warmUpMs)
  tell('measuring')
  isMeasuring = true
  const cores = coresMeter()
  const from = performance.now()
  await pause(measureMs)
  isMeasuring = false
  const seconds = (performance.now() - from) / 1000
  const clientCores = cores()
  tell({ signIns: times.length, seconds, latencies: latencies(times), clientCores } satisfies SignInResult)
  isOver = true
  await all
})

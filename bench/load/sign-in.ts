/**
 * Devices that sign in, so many at a time: a nonce, a token for it, a session, a socket, a hello, a welcome; all on the
 * socket, or the session over HTTP. Each has connections of its own, as devices do. Tokens are signed here, not on the
 * server's account.
 */
import { latencies } from '../figures/statistics.ts'
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { HttpConnection } from './http.ts'
import { type Measured, Measurement, type Window } from './measuring.ts'
import { connect } from './people.ts'
import type { LoadSocket } from './socket.ts'
import { task, tell } from './task.ts'

export interface SignInInput extends Window {
  readonly ready: ServerReady
  readonly atOnce: number
  readonly way: Way
}

/**
 * `socket`: on the connection that then is the session's. `http`: nonce and session over a connection of their own;
 * `pooled`: over one that is kept for the next device, as a proxy in front keeps them. A server that knows one way
 * knows no other.
 */
export type Way = 'socket' | 'http' | 'pooled'

export interface SignInResult extends Measured {
  readonly signIns: number
  readonly latencies: { readonly p50: number; readonly p95: number; readonly p99: number }
}

/** Devices that stay; the oldest goes when another comes. */
const MAX_CONNECTED = 2_000

task<SignInInput>(async ({ ready, atOnce, warmUpMs, measureMs, way }) => {
  const dialect = dialectOf(ready)
  const { port } = ready
  const connected: LoadSocket[] = []
  const times: number[] = []
  let count = 0
  const measurement = new Measurement()
  let isOver = false

  const person = async () => {
    const kept = way === 'pooled' ? new HttpConnection(port) : undefined
    while (!isOver) {
      const from = performance.now()
      const user = `u${count++}`
      if (way === 'socket' && dialect.onSocket) connected.push(await connect({ port, dialect, user }))
      else {
        const line = kept ?? (ready.kind === 'parley' ? new HttpConnection(port) : undefined)
        connected.push(await connect({ port, dialect, hello: await dialect.hello(user, line) }))
        if (line !== kept) line?.close()
      }
      if (measurement.isOn) times.push(performance.now() - from)
      if (connected.length > MAX_CONNECTED) connected.shift()!.close()
    }
  }
  const all = Promise.all(Array.from({ length: atOnce }, person))
  const measured = await measurement.run({ warmUpMs, measureMs })
  tell({ signIns: times.length, latencies: latencies(times), ...measured } satisfies SignInResult)
  isOver = true
  await all
})

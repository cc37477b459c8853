/** A device without anything reads all that its owner has missed, several times over, each time on a new connection. */
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { type Missed, writeMissed } from './missed.ts'
import { openSocket } from './socket.ts'
import { coresMeter, pause, task, tell } from './task.ts'

export interface CatchUpInput extends Missed {
  readonly ready: ServerReady
  /** Devices come for so long before any of them counts. */
  readonly warmUpMs: number
  readonly times: number
}

export interface CatchUpResult {
  /** From the hello to the last message, each time. */
  readonly wallMs: readonly number[]
  /** The same of the very first device after the server's start, which finds neither compiled code nor cached pages. */
  readonly firstMs: number
  readonly lost: number
  readonly clientCores: number
  readonly seconds: number
}

task<CatchUpInput>(async ({ ready, warmUpMs, times, ...missed }) => {
  const dialect = dialectOf(ready)
  const { port } = ready
  await writeMissed({ port, dialect, reader: 'reader' }, missed)
  const hello = await dialect.hello('reader')
  await pause(300)
  const once = () =>
    new Promise<{ readonly wallMs: number; readonly ids: ReadonlySet<string> }>((resolve, reject) => {
      let from = 0
      let isDone = false
      const opening = openSocket({
        port,
        protocol: dialect.protocol,
        onFrame: (data, start, end) => reader?.hear(data.toString('utf8', start, end)),
        onClose: () => isDone || reject(new Error('The server closed the connection.')),
      })
      let reader: ReturnType<typeof dialect.catchUp> | undefined
      opening.then((socket) => {
        reader = dialect.catchUp({
          socket,
          hello,
          done(ids) {
            isDone = true
            resolve({ wallMs: performance.now() - from, ids })
            socket.close()
          },
        })
        from = performance.now()
        reader.start()
      }, reject)
    })
  const warmAt = performance.now() + warmUpMs
  const { wallMs: firstMs } = await once()
  while (performance.now() < warmAt) await once()
  tell('measuring')
  const cores = coresMeter()
  const from = performance.now()
  const wallMs: number[] = []
  let lost = 0
  for (let i = 0; i < times; i++) {
    const one = await once()
    wallMs.push(one.wallMs)
    lost = Math.max(lost, missed.messages - one.ids.size)
  }
  const seconds = (performance.now() - from) / 1000
  tell({ wallMs, firstMs, lost, clientCores: cores(), seconds } satisfies CatchUpResult)
})

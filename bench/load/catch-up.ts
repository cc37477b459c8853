/** A device without anything reads all that its owner has missed, several times over, each time on a new connection. */
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { type Missed, writeMissed } from './missed.ts'
import { openSocket } from './socket.ts'
import { coresMeter, pause, task, tell } from './task.ts'

export interface CatchUpInput extends Missed {
  readonly ready: ServerReady
  readonly times: number
}

export interface CatchUpResult {
  /** From the hello to the last message, each time. */
  readonly wallMs: readonly number[]
  readonly lost: number
  readonly clientCores: number
  readonly seconds: number
}

task<CatchUpInput>(async ({ ready, times, ...missed }) => {
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
  // Once to warm up: the first device after a start finds neither compiled code nor cached pages.
  for (let i = 0; i < 2; i++) await once()
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
  tell({ wallMs, lost, clientCores: cores(), seconds: (performance.now() - from) / 1000 } satisfies CatchUpResult)
})

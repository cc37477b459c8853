/** Round trips of a text of 200 bytes on a hundred connections, sixteen under way on each. */
import { openSocket } from './socket.ts'
import { coresMeter, inGroups, pause, task, tell } from './task.ts'

const CONNECTIONS = 100
const WINDOW = 16

task<{ readonly ready: { readonly port: number }; readonly measureMs: number }>(async ({ ready, measureMs }) => {
  const text = JSON.stringify({ body: 'x'.repeat(189) })
  let count = 0
  const sockets = await inGroups(CONNECTIONS, 25, async (index) =>
    openSocket({
      port: ready.port,
      protocol: '',
      onFrame() {
        count++
        sockets[index]!.send(text)
      },
    }),
  )
  for (const socket of sockets) for (let i = 0; i < WINDOW; i++) socket.send(text)
  await pause(measureMs / 2)
  const cores = coresMeter()
  const before = count
  const from = performance.now()
  await pause(measureMs)
  tell({ perSecond: ((count - before) / (performance.now() - from)) * 1000, clientCores: cores() })
})

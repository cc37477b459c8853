/** People who are connected and say nothing. */
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { connectPeople } from './people.ts'
import { heard, task, tell } from './task.ts'

export interface IdleInput {
  readonly ready: ServerReady
  readonly connections: number
}

task<IdleInput>(async ({ ready, connections }) => {
  const dialect = dialectOf(ready)
  const names = Array.from({ length: connections }, (_, index) => `u${index}`)
  const from = performance.now()
  const people = await connectPeople({ port: ready.port, dialect, names })
  tell({ seconds: (performance.now() - from) / 1000 })
  await heard()
  tell({ lost: people.filter(({ socket }) => socket.isClosed).length })
})

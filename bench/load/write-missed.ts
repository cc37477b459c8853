/** Leaves a store with messages that somebody missed, for a device that comes from elsewhere. */
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { type Missed, writeMissed } from './missed.ts'
import { task, tell } from './task.ts'

export interface WriteMissedInput extends Missed {
  readonly ready: ServerReady
}

task<WriteMissedInput>(async ({ ready, ...missed }) => {
  await writeMissed({ port: ready.port, dialect: dialectOf(ready), reader: 'reader' }, missed)
  tell('written')
})

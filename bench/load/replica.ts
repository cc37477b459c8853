/** The SDK on Node takes in all that was missed, into memory or into SQLite. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createClient } from '@parley/client'
import { createMemoryStorage } from '@parley/client/memory'
import { createSqliteStorage } from '@parley/client/sqlite'
import type { CreatedApp } from '@parley/server'
import { WebSocket } from 'ws'
import { minter } from './minter.ts'
import { task, tell } from './task.ts'

export interface ReplicaInput {
  readonly ready: { readonly port: number; readonly app: CreatedApp }
  readonly storage: 'memory' | 'sqlite'
  readonly messages: number
}

export interface ReplicaLoadResult {
  readonly wallMs: number
  readonly longestTaskMs: number
  readonly cpuMs: number
  readonly lost: number
}

task<ReplicaInput>(async ({ ready: { port, app }, storage, messages }) => {
  const mint = minter(app)
  const directory = mkdtempSync(join(tmpdir(), 'parley-replica-'))
  const client = createClient({
    appId: app.appId,
    url: `http://127.0.0.1:${port}`,
    challenge: async ({ nonce }) => mint('reader', nonce),
    storage: storage === 'sqlite' ? createSqliteStorage({ directory }) : createMemoryStorage(),
    webSocket: WebSocket,
  })
  await client.opened
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const cpu = process.cpuUsage()
  const from = performance.now()
  await client.authenticate('reader')
  await new Promise<void>((resolve) => {
    const look = () => {
      if (client.history.state === 'complete' && client.history.messages >= messages) resolve()
    }
    client.on('history', look)
    look()
  })
  const wallMs = performance.now() - from
  const { user, system } = process.cpuUsage(cpu)
  const longestTaskMs = delay.max / 1e6
  const lost = messages - client.history.messages
  await client.close()
  rmSync(directory, { recursive: true, force: true })
  tell({ wallMs, longestTaskMs, cpuMs: (user + system) / 1000, lost } satisfies ReplicaLoadResult)
})

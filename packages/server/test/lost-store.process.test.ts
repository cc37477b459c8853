/** A server whose store thread has died: it says so, sends everybody away, and ends, so that it is started anew. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openSqliteStore, type RunningServer, type Store, serve } from '@parley/server'
import { createApp, startParley } from '@parley/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'

const folder = mkdtempSync(join(tmpdir(), 'parley-lost-'))
const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe('a program that serves', () => {
  it('ends with code 1 when its store thread has died, after a polite goodbye; started anew, it has everything', async () => {
    const preload = fileURLToPath(new URL('./end-store-thread.mjs', import.meta.url))
    const server = await startParley({ dataFolder: folder, env: { NODE_OPTIONS: `--import=${preload}` } })
    closing.push(() => server.close())
    const { appId } = await createApp(folder)
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: 'ready' })
    const socket = new WebSocket(server.websocketUrl, 'parley.1')
    await once(socket, 'open')
    const goodbye = once(socket, 'message')
    const closed = once(socket, 'close')

    process.kill(server.pid, 'SIGUSR2')

    expect(JSON.parse(String((await goodbye)[0]))).toMatchObject({ type: 'goodbye', reason: 'going_away' })
    expect((await closed)[0]).toBe(1001)
    expect(await server.exit).toEqual({ code: 1, signal: null })
    const said = server.lines.join('\n')
    expect(said).toContain('"message":"the store is lost","reason":"The thread that writes the store has ended."')
    expect(said).toContain('parley: The thread that writes the store has ended. The server was stopped, and has to be')

    const again = await startParley({ dataFolder: folder, port: server.port })
    closing.push(() => again.close())
    expect((await fetch(`${again.url}/readyz`)).status).toBe(200)
    const nonce = await fetch(`${again.url}/nonces`, {
      method: 'POST',
      headers: { accept: 'application/vnd.layer+json; version=2.0', 'content-type': 'application/json' },
      body: JSON.stringify({ app_id: appId }),
    })
    expect(nonce.status).toBe(201)
  })
})

describe('a server that lost its store', () => {
  const loseStore = async (remedy: 'restart' | 'repair') => {
    let lose: (loss: Awaited<Store['lost'] & {}>) => void = () => undefined
    const lost: NonNullable<Store['lost']> = new Promise((resolve) => {
      lose = resolve
    })
    const server = await serve({ ...openSqliteStore(':memory:'), lost }, {})
    closing.push(() => server.close({ drainMs: 0 }))
    const healthy = await ask(server, '/readyz')
    lose({ sentence: 'The thread that writes the store has ended.', remedy })
    await new Promise((resolve) => setImmediate(resolve))
    return { server, healthy }
  }
  const ask = async ({ url }: RunningServer, path: string) => (await fetch(url + path)).json()

  it('is unready, and says why, until it is closed', async () => {
    const { server, healthy } = await loseStore('restart')
    expect(healthy).toEqual({ status: 'ready' })
    expect(await ask(server, '/readyz')).toEqual({
      status: 'not ready',
      reasons: ['The thread that writes the store has ended.'],
    })
    expect(await server.failed).toBe('The thread that writes the store has ended.')
  })

  it('does not ask to be started anew when only a person can mend the store', async () => {
    const { server } = await loseStore('repair')
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
    const first = await Promise.race([server.failed, new Promise((resolve) => setTimeout(resolve, 50, 'nothing'))])
    expect(first).toBe('nothing')
  })
})

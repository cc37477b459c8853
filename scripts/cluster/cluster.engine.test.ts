import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@parley/client'
import { type RunningProcess, startProcess } from '@parley/testkit'
import { afterEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'

/** What `npm run cluster` runs once everything is installed and built. */
const main = fileURLToPath(new URL('./main.mjs', import.meta.url))
const PATIENCE = { timeout: 20_000, interval: 50 }

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close()
})

interface Cluster {
  readonly program: RunningProcess
  readonly url: string
  readonly appId: string
  readonly authServiceUrl: string
  readonly demoUrl: string
  readonly folder: string
  /** The process of a piece, by the last that was said of it. */
  pidOf(piece: string): number
}

async function startCluster(): Promise<Cluster> {
  const env = { PARLEY_DATA: undefined, PARLEY_NODES: undefined }
  const program = startProcess({ command: process.execPath, args: [main], env, isSpokenTo: true })
  closes.push(() => program.terminate({ timeoutMs: 60_000 }))
  const said = async (pattern: RegExp) => (await program.line(pattern, { timeoutMs: 60_000 }))[1]!
  const [url, appId] = [await said(/Server +(\S+)/), await said(/\(app (\S+)\)/)]
  const [demoUrl, folder] = [await said(/Demo +(\S+)/), await said(/Data +(\S+),/)]
  const authServiceUrl = await said(/Authentication service +(\S+)/)
  await program.line(/Ctrl-C stops everything/)
  const pidOf = (piece: string) =>
    Number(
      program.lines.flatMap((line) => new RegExp(`^ *${piece} .*process (\\d+)\\.?$`).exec(line)?.[1] ?? []).at(-1),
    )
  return { program, url, appId, authServiceUrl, demoUrl, folder, pidOf }
}

async function signIn({ url, appId, authServiceUrl }: Cluster, user: string): Promise<Client> {
  const client = createClient({
    appId,
    url,
    webSocket: WebSocket as never,
    challenge: async ({ nonce }) => {
      const body = JSON.stringify({ user, password: 'parley', nonce })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${authServiceUrl}/identity-token`, { method: 'POST', headers, body })
      return ((await answer.json()) as { identity_token: string }).identity_token
    },
  })
  closes.push(() => client.close())
  await client.authenticate(user)
  return client
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}/status`)

test('three nodes behind a balancer: any of them is killed, and the chat goes on', { timeout: 120_000 }, async () => {
  const cluster = await startCluster()
  const [alice, ben] = [await signIn(cluster, 'alice'), await signIn(cluster, 'ben')]
  const { conversation } = await alice.createConversation({ participants: ['ben'], distinct: true })
  await vi.waitFor(async () => expect(await ben.getConversation(conversation.id)).toBeTruthy(), PATIENCE)
  const screens = [alice, ben].map((client) => client.messages({ conversation: conversation.id }))
  const texts = screens.map((screen) => () => screen.snapshot().map(({ parts }) => parts[0]?.body))
  const said: string[] = []
  const chat = async (when: string) => {
    for (const [client, name] of [
      [alice, 'alice'],
      [ben, 'ben'],
    ] as const) {
      const text = `${name} ${when}`
      said.push(text)
      await (await client.conversation(conversation.id).sendText(text)).acknowledged
      for (const shown of texts) await vi.waitFor(() => expect(shown()).toEqual(said), PATIENCE)
    }
  }

  await chat('to begin with')
  for (const node of ['node 1', 'node 2', 'node 3']) {
    const pid = cluster.pidOf(node)
    process.kill(pid, 'SIGKILL')
    await cluster.program.line(new RegExp(`${node} \\(process ${pid}\\) is gone: killed by SIGKILL`))
    await chat(`without ${node}`)
    cluster.program.say(`start ${node}`)
    await cluster.program.line(new RegExp(`${node} is back`))
    expect(isAlive(cluster.pidOf(node))).toBe(true)
  }
  await chat('with all of them')
})

test('Ctrl-C stops every piece, and nothing is left', { timeout: 120_000 }, async () => {
  const cluster = await startCluster()
  expect((await fetch(cluster.demoUrl)).status).toBe(200)
  const pieces = ['postgres', 'nats', 'node 1', 'node 2', 'node 3', 'balancer']
  const pids = pieces.map((piece) => cluster.pidOf(piece))
  expect(pids.filter(isAlive)).toEqual(pids)
  expect(await cluster.program.terminate({ timeoutMs: 30_000 })).toEqual({ code: 0, signal: null })
  expect(pids.filter(isAlive)).toEqual([])
  expect(existsSync(cluster.folder)).toBe(false)
  expect(cluster.program.lines.join('\n')).not.toContain(') is gone')
})

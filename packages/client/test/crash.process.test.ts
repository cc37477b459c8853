/**
 * People send at full speed through the SDK while the server is killed and started again, five times. Afterwards
 * every acknowledged message is on every device exactly once, in one order.
 */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient, type Replica } from '@parley/client'
import type { ConversationId, MessageRow } from '@parley/protocol'
import { type CreatedApp, openAdministration } from '@parley/server'
import { type RunningProcess, startProcess, storageToLookInto, until } from '@parley/testkit'
import { createIdentityTokenMinter } from '@parley/token'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'

const KILLS = 5
/** Messages of one device that await their acknowledgement. */
const WINDOW = 16
const PARLEY = fileURLToPath(new URL('../../cli/bin/parley.js', import.meta.url))

interface Device {
  readonly name: string
  readonly client: Client
  readonly replica: () => Promise<Replica>
  /** Bodies in the order of their acknowledgements, by conversation. */
  readonly acknowledged: { readonly id: string; readonly conversation: ConversationId; readonly position: number }[]
  /** Bodies in the order they were asked for. */
  sent: number
}

let folder: string
let app: CreatedApp
let port: number
let server: RunningProcess
const devices: Device[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-crash-'))
  const administration = await openAdministration(folder)
  app = await administration.createApp({ algorithm: 'ES256' })
  await administration.close()
  port = await freePort()
  server = await start()
})

afterAll(async () => {
  for (const { client } of devices) await client.close()
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

it('P1 nothing acknowledged is lost, doubled or reordered when the server is killed five times under load', async () => {
  for (const [name, userId] of [
    ['alice’s phone', 'alice'],
    ['alice’s laptop', 'alice'],
    ['ben’s phone', 'ben'],
    ['cleo’s phone', 'cleo'],
  ] as const) {
    devices.push(await signIn(name, userId))
  }
  const [phone, , ben] = devices as [Device, Device, Device, Device]
  const group = await phone.client.createConversation({ participants: ['ben', 'cleo'], distinct: false })
  const pair = await ben.client.createConversation({ participants: ['alice'], distinct: true })
  await Promise.all([group.acknowledged, pair.acknowledged])
  const rooms = new Map([
    ['alice', [group.id, pair.id]],
    ['ben', [group.id, pair.id]],
    ['cleo', [group.id]],
  ])

  let isOver = false
  const senders = devices.flatMap((device) =>
    Array.from({ length: WINDOW }, () =>
      keepSending(device, rooms.get(device.client.identity!.user_id)!, () => isOver),
    ),
  )
  const lives: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    const lifeMs = randomInt(300, 1_200)
    lives.push(lifeMs)
    const before = total()
    await new Promise((resolve) => setTimeout(resolve, lifeMs))
    await until(() => total() > before, 'a message was acknowledged in this life of the server')
    expect(await server.kill()).toMatchObject({ signal: 'SIGKILL' })
    server = await start()
  }
  const before = total()
  await until(() => total() > before + 50, 'the clients came back')
  isOver = true
  await Promise.all(senders)
  console.log(`${total()} messages acknowledged; the server lived ${lives.join(', ')} ms between kills.`)

  const expected = new Map<ConversationId, Map<number, string>>()
  for (const { acknowledged } of devices) {
    for (const { conversation, position, id } of acknowledged) {
      const known = expected.get(conversation) ?? new Map()
      expect(known.get(position) ?? id, 'two messages were given one position').toBe(id)
      expected.set(conversation, known.set(position, id))
    }
  }
  for (const device of devices) {
    for (const conversation of rooms.get(device.client.identity!.user_id)!) {
      const wanted = expected.get(conversation)!
      await until(
        async () => (await messages(device, conversation)).length >= wanted.size,
        `${device.name} got everything`,
      )
      const rows = await messages(device, conversation)
      expect(rows.map(({ position }) => position)).toEqual(Array.from(rows, (_row, index) => index + 1))
      expect(rows.map(({ id }) => id)).toEqual([...wanted].sort(([a], [b]) => a - b).map(([, id]) => id))
      expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
    }
    expect(await device.client.outbox.list()).toEqual([])
  }
  // What one device sent keeps the order in which it was asked for.
  for (const conversation of [group.id, pair.id]) {
    const rows = await messages(phone, conversation)
    for (const { name } of devices) {
      const mine = rows.map(({ parts }) => parts[0]!.body.split(' #')).filter(([sender]) => sender === name)
      const numbers = mine.map(([, number]) => Number(number))
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    }
  }
})

async function keepSending(device: Device, conversations: readonly ConversationId[], isOver: () => boolean) {
  while (!isOver()) {
    const number = device.sent++
    const conversation = conversations[number % conversations.length]!
    const message = await device.client.conversation(conversation).sendText(`${device.name} #${number}`)
    const { position } = await message.acknowledged
    device.acknowledged.push({ id: message.id, conversation, position })
  }
}

const total = () => devices.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)

async function messages(device: Device, conversation: ConversationId): Promise<readonly MessageRow[]> {
  return (await device.replica()).scan('messages', { prefix: [conversation] })
}

async function signIn(name: string, userId: string): Promise<Device> {
  const { storage, replica } = storageToLookInto()
  const minter = createIdentityTokenMinter({
    providerId: app.providerId,
    keyId: app.keyId,
    privateKey: app.privateKeyPem,
  })
  const client = createClient({
    appId: app.appId,
    url: `http://127.0.0.1:${port}`,
    storage,
    webSocket: WebSocket as never,
    challenge: ({ nonce }) => minter.mint({ userId, nonce }),
  })
  await client.authenticate(userId)
  return { name, client, replica, acknowledged: [], sent: 0 }
}

async function start(): Promise<RunningProcess> {
  const started = startProcess({
    command: process.execPath,
    args: [PARLEY, 'serve', '--data', folder, '--port', String(port), '--json'],
  })
  await started.line(/"url"/)
  return started
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port: free } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return free
}

/** The shipped server on PostgreSQL, spoken to through the SDK, while the database is killed, restarted and frozen. */
import { type Client, createClient, type Replica } from '@parley/client'
import type { ConversationId, MessageRow } from '@parley/protocol'
import {
  createApp,
  type ParleyApp,
  type ParleyServer,
  type PostgresServer,
  postgresVersions,
  startParley,
  startPostgres,
  storageToLookInto,
  until,
} from '@parley/testkit'
import { createIdentityTokenMinter } from '@parley/token'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'

/** Messages of one device that await their acknowledgement. */
const WINDOW = 8
/** How soon writes must flow again once the database accepts. */
const FLOW_MS = 5_000

interface Device {
  readonly name: string
  readonly client: Client
  readonly replica: () => Promise<Replica>
  /** What was acknowledged, in that order. */
  readonly acknowledged: { readonly id: string; readonly position: number }[]
  sent: number
}

describe.each(postgresVersions)('a server on PostgreSQL %i', (version) => {
  let database: PostgresServer
  let url: string
  let app: ParleyApp
  let server: ParleyServer
  const clients: Client[] = []

  beforeAll(async () => {
    database = await startPostgres({ version })
    url = await database.createDatabase('parley')
    app = await createApp(url, ['--algorithm', 'ES256'])
    server = await startParley({ dataFolder: url })
  })
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()))
  })
  afterAll(async () => {
    await server?.close()
    await database?.close()
  })

  async function signIn(name: string, userId: string): Promise<Device> {
    const { storage, replica } = storageToLookInto()
    const { providerId, keyId, privateKeyPem: privateKey } = app
    const minter = createIdentityTokenMinter({ providerId, keyId, privateKey })
    const client = createClient({
      appId: app.appId,
      url: server.url,
      storage,
      webSocket: WebSocket as never,
      challenge: ({ nonce }) => minter.mint({ userId, nonce }),
    })
    clients.push(client)
    await client.authenticate(userId)
    return { name, client, replica, acknowledged: [], sent: 0 }
  }

  it('people sign in, talk and catch up; killed and started again, the server has everything', async () => {
    const [alice, ben] = [await signIn('alice', 'alice'), await signIn('ben', 'ben')]
    const { conversation, acknowledged } = await alice.client.createConversation({ participants: ['ben'] })
    await acknowledged
    for (let n = 1; n <= 20; n++) await (await conversation.sendText(`m${n}`)).acknowledged
    const wanted = Array.from({ length: 20 }, (_, n) => `m${n + 1}`)
    await until(async () => (await bodies(ben, conversation.id)).length === 20, 'Ben heard of it')
    expect(await bodies(ben, conversation.id)).toEqual(wanted)
    const { port } = server
    await server.kill()
    server = await startParley({ dataFolder: url, port })
    const laptop = await signIn('alice’s laptop', 'alice')
    await until(async () => (await bodies(laptop, conversation.id)).length === 20, 'the laptop caught up')
    expect(await bodies(laptop, conversation.id)).toEqual(wanted)
    await (await ben.client.conversation(conversation.id).sendText('back')).acknowledged
    await until(async () => (await bodies(laptop, conversation.id)).includes('back'), 'messages flow')
  })

  /** What happens to the database, until it accepts again. */
  const accidents: Record<string, () => Promise<void>> = {
    '16 killed': async () => {
      await database.kill()
      await sleep(500)
      await database.start()
    },
    '18 restarted fast': async () => {
      await database.stop('fast')
      await database.start()
    },
    '18 restarted at once': async () => {
      await database.stop('immediate')
      await database.start()
    },
    '17 frozen for four seconds': async () => {
      database.pause()
      await sleep(4_000)
      database.resume()
    },
  }
  it.each(Object.entries(accidents))(
    '%s under load: nothing acknowledged is lost, doubled or reordered, and writes flow soon after',
    async (_name, accident) => {
      const names = [`ann ${_name}`, `bob ${_name}`, `cid ${_name}`]
      const devices = await Promise.all(names.map((name) => signIn(name, name)))
      const [ann] = devices as [Device]
      const { id, acknowledged } = await ann.client.createConversation({
        participants: names.slice(1),
        distinct: false,
      })
      await acknowledged
      let isOver = false
      const senders = devices.flatMap((device) =>
        Array.from({ length: WINDOW }, () => keepSending(device, id, () => isOver)),
      )
      const total = () => devices.reduce((sum, device) => sum + device.acknowledged.length, 0)
      await until(() => total() > 100, 'something was acknowledged')
      await accident()
      const acceptedAt = performance.now()
      const before = total()
      await until(() => total() > before + WINDOW * devices.length, 'writes flow')
      expect(performance.now() - acceptedAt).toBeLessThan(FLOW_MS)
      isOver = true
      await Promise.all(senders)

      const wanted = new Map(devices.flatMap((device) => device.acknowledged.map((one) => [one.position, one.id])))
      expect(wanted.size).toBe(total())
      for (const device of devices) {
        await until(async () => (await messages(device, id)).length >= wanted.size, `${device.name} has everything`)
        const rows = await messages(device, id)
        expect(rows.map(({ position, id: message }) => [position, message])).toEqual(
          [...wanted].sort(([a], [b]) => a - b),
        )
        const mine = rows.map(({ parts }) => parts[0]!.body.split(' #')).filter(([sender]) => sender === device.name)
        expect(mine.map(([, number]) => Number(number))).toEqual(mine.map((_, index) => index))
      }
      console.log(`${_name}: ${total()} acknowledged, ${server.lines.length} lines in the server's log`)
    },
  )

  it('its health is told while the database is frozen', async () => {
    database.pause()
    try {
      expect((await fetch(`${server.url}/healthz`)).ok).toBe(true)
    } finally {
      database.resume()
    }
  })
})

async function keepSending(device: Device, conversation: ConversationId, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const message = await device.client.conversation(conversation).sendText(`${device.name} #${device.sent++}`)
    const { position } = await message.acknowledged
    device.acknowledged.push({ id: message.id, position })
  }
}

async function messages(device: Device, conversation: ConversationId): Promise<readonly MessageRow[]> {
  return (await device.replica()).scan('messages', { prefix: [conversation] })
}

const bodies = async (device: Device, conversation: ConversationId): Promise<string[]> =>
  (await messages(device, conversation)).map(({ parts }) => parts[0]!.body)

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Alice and Bob against the real server in this process, over real sockets. Real time, so few and short. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversationId } from '@parley/protocol'
import {
  type Administration,
  type CreatedApp,
  openAdministration,
  openSqliteStore,
  type RunningServer,
  serve,
  storeFile,
} from '@parley/server'
import { createIdentityTokenMinter } from '@parley/token'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Client, createClient, type ReplicaStorage } from '../src/index.ts'
import { createMemoryStorage } from '../src/replica/memory/index.ts'
import { until } from './support/until.ts'

let folder: string
let server: RunningServer
let administration: Administration
let app: CreatedApp
const clients: Client[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-client-'))
  administration = await openAdministration(folder)
  app = await administration.createApp({ algorithm: 'ES256' })
  server = await serve(openSqliteStore(storeFile(folder)), {})
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})
afterAll(async () => {
  await server?.close({ drainMs: 100 })
  await administration?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Device {
  readonly client: Client
  readonly storage: ReplicaStorage
  asked: number
}

interface DeviceOptions {
  readonly storage?: ReplicaStorage
  readonly of?: CreatedApp
  readonly at?: RunningServer
}

function device(userId: string, options: DeviceOptions = {}): Device {
  const { storage = createMemoryStorage(), of = app, at = server } = options
  const { providerId, keyId, privateKeyPem: privateKey } = of
  const minter = createIdentityTokenMinter({ providerId, keyId, privateKey })
  const made: Device = {
    storage,
    asked: 0,
    client: createClient({
      appId: of.appId,
      url: at.url,
      websocketUrl: at.websocketUrl,
      storage,
      webSocket: WebSocket,
      challenge: ({ nonce }) => {
        made.asked++
        return minter.mint({ userId, nonce })
      },
    }),
  }
  clients.push(made.client)
  return made
}

async function signedIn(userId: string, options?: DeviceOptions): Promise<Device> {
  const made = device(userId, options)
  await made.client.authenticate(userId)
  await until(() => made.client.connection.state === 'live')
  return made
}

/** A clock that goes so many times as fast as ours. */
function hastyClock(speed: number) {
  const start = Date.now()
  return {
    now: () => start + (Date.now() - start) * speed,
    after(ms: number, task: () => void) {
      const timer = setTimeout(task, ms / speed)
      return () => clearTimeout(timer)
    },
  }
}

async function texts({ storage }: Device, of: CreatedApp, id: ConversationId): Promise<string[]> {
  const rows = await (await storage.open(of.appId)).scan('messages', { prefix: [id] })
  return rows.map((row) => row.parts[0]?.body ?? '')
}
const has = (who: Device, id: ConversationId, wanted: readonly string[]) =>
  until(async () => JSON.stringify(await texts(who, app, id)) === JSON.stringify(wanted))
const outboxIsEmpty = async ({ storage }: Device) => (await (await storage.open(app.appId)).count('outbox')) === 0

describe('with the real server', () => {
  it('SYNC-1 two people and three devices chat, with receipts', async () => {
    const [phone, laptop, bob] = [await signedIn('alice'), await signedIn('alice'), await signedIn('bob')]
    const { conversation, acknowledged } = await phone.client.createConversation({ participants: ['bob'] })
    expect((await acknowledged).outcome).toBe('created')
    const { id } = conversation
    const first = await conversation.sendText('hi bob')
    expect(await first.acknowledged).toMatchObject({ position: 1 })
    await has(bob, id, ['hi bob'])
    await bob.client.conversation(id).sendText('hi alice')
    for (const each of [phone, laptop, bob]) await has(each, id, ['hi bob', 'hi alice'])
    await until(async () => {
      const rows = await (await phone.storage.open(app.appId)).scan('participants', { prefix: [id] })
      return rows.every((row) => row.delivered.length > 0)
    })
    for (const each of [phone, laptop, bob]) await until(() => outboxIsEmpty(each))
  })

  it('QUEUE-2 written offline, sent in order after a reload', async () => {
    const storage = createMemoryStorage()
    const first = await signedIn('cleo', { storage })
    const { id } = await first.client.createConversation({ participants: ['dana'], distinct: false })
    first.client.disconnect()
    const wanted = Array.from({ length: 50 }, (_, i) => `m${i}`)
    await Promise.all(wanted.map((text) => first.client.conversation(id).sendText(text)))
    await first.client.close()
    const second = device('cleo', { storage })
    await second.client.opened
    expect(second.client.identity?.user_id).toBe('cleo')
    await has(second, id, wanted)
    expect(second.asked).toBe(0)
    const dana = await signedIn('dana')
    await has(dana, id, wanted)
  })

  it('DIST-3 the same distinct conversation from two devices becomes one', async () => {
    const [phone, laptop] = [await signedIn('erin'), await signedIn('erin')]
    phone.client.disconnect()
    laptop.client.disconnect()
    const one = await phone.client.createConversation({ participants: ['frank'] })
    const two = await laptop.client.createConversation({ participants: ['frank'] })
    await one.conversation.sendText('one')
    await two.conversation.sendText('two')
    phone.client.connect()
    await one.acknowledged
    laptop.client.connect()
    expect((await two.acknowledged).outcome).toBe('found')
    expect(two.conversation.id).toBe(one.id)
    await until(async () => (await texts(phone, app, one.id)).length === 2)
    expect((await texts(phone, app, one.id)).sort()).toEqual(['one', 'two'])
  })

  it('CNV-5 leaving, deleting and changing what is shared settle everywhere', async () => {
    const [gil, hal] = [await signedIn('gil'), await signedIn('hal')]
    const { conversation } = await gil.client.createConversation({ participants: ['hal', 'ivy'], distinct: false })
    const { id } = conversation
    await conversation.setMetadata({ title: 'Three', 'colour.background': 'red' })
    await conversation.removeParticipants(['ivy'])
    const message = await conversation.sendText('soon gone')
    await (await conversation.deleteMessage(message.id, 'all_participants')).acknowledged
    await until(async () => {
      const row = await (await hal.storage.open(app.appId)).get('messages', [id, 1])
      return row?.deleted_at != null
    })
    await (await hal.client.conversation(id).leave()).acknowledged
    await until(() => outboxIsEmpty(hal))
    expect(await (await hal.storage.open(app.appId)).get('conversations', [id])).toBeUndefined()
    await (await conversation.delete('all_participants')).acknowledged
    await until(() => outboxIsEmpty(gil))
  })

  it('OPR-6 a refusal is told with the server’s words, and the rest goes on', async () => {
    const jo = await signedIn('jo')
    const { conversation } = await jo.client.createConversation({ participants: ['kim'], distinct: false })
    await (await conversation.sendText('here')).acknowledged
    const strange = jo.client.conversation('layer:///conversations/00000000-0000-4000-8000-000000000001')
    const refused = await strange.sendText('anybody?')
    await expect(refused.acknowledged).rejects.toMatchObject({ code: 'refused', refusal: { id: 'not_found' } })
    await (await conversation.sendText('still here')).acknowledged
    await jo.client.outbox.discard(refused.operationId)
    await until(() => outboxIsEmpty(jo))
  })

  it('AUTH-31 a short session is renewed in place while messages flow', async () => {
    const elsewhere = join(folder, 'hasty')
    const operator = await openAdministration(elsewhere)
    const brief = await operator.createApp({ algorithm: 'ES256', sessionSeconds: 30 })
    await operator.close()
    const hasty = await serve(openSqliteStore(storeFile(elsewhere)), { clock: hastyClock(20) })
    const lea = await signedIn('lea', { of: brief, at: hasty })
    const { conversation } = await lea.client.createConversation({ participants: ['max'], distinct: false })
    const states: string[] = []
    lea.client.on('connection', ({ state }) => states.push(state))
    let isRenewed = false
    lea.client.on('renewed', () => {
      isRenewed = true
    })
    let sent = 0
    while (!isRenewed) {
      await (await conversation.sendText(`m${sent++}`)).acknowledged
    }
    expect(lea.asked).toBe(2)
    expect(states).toEqual([])
    await until(async () => (await texts(lea, brief, conversation.id)).length === sent)
    await hasty.close({ drainMs: 0 })
  })

  it('AUTH-18 signing out flushes, ends the session and leaves nothing; a revoked session ends at once', async () => {
    const nia = await signedIn('nia')
    const { conversation } = await nia.client.createConversation({ participants: ['oz'], distinct: false })
    for (let i = 0; i < 10; i++) await conversation.sendText(`m${i}`)
    await nia.client.deauthenticate()
    expect(nia.client.state).toEqual({ state: 'unauthenticated' })
    expect(await texts(nia, app, conversation.id)).toEqual([])
    await nia.client.authenticate('nia')
    await until(async () => (await texts(nia, app, conversation.id)).length === 10)
    const over = new Promise((resolve) => nia.client.on('deauthenticated', resolve))
    await administration.revokeSessions(app.appId, 'nia')
    expect(await over).toMatchObject({ reason: 'session-ended' })
  })
})

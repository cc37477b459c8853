/** A server that is used while its store moves away under it: people send, read, delete and sign in, and all is noted. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient, type Replica } from '@parley/client'
import type { ConversationId, MessageRow } from '@parley/protocol'
import {
  createApp,
  type ParleyApp,
  type ParleyServer,
  parley,
  startParley,
  storageToLookInto,
  until,
} from '@parley/testkit'
import { createIdentityTokenMinter } from '@parley/token'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { query } from '../fresh-databases.ts'
import { fillFile, rowsOfDatabase, rowsOfFile, strayIds } from './both-stores.ts'

/** Messages of one device that await their acknowledgement. */
const WINDOW = 4
/** The app that is used: the one after those that the file is filled with. */
const LIVE_APP = 8

interface Row {
  readonly app?: number
  readonly id?: string
  readonly user_id?: string
}

export interface Device {
  readonly name: string
  readonly client: Client
  readonly replica: () => Promise<Replica>
  /** Sockets opened so far: whoever notices nothing has opened one. */
  sockets: number
  sent: number
}

/** A store that each world begins with a copy of. */
export interface PreparedStore {
  readonly folder: string
  readonly app: ParleyApp
}

export async function prepareStore(messages: number): Promise<PreparedStore> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-live-'))
  fillFile(join(folder, 'parley.sqlite'), { messages })
  return { folder, app: await createApp(folder, ['--algorithm', 'ES256']) }
}

interface Acknowledged {
  readonly id: string
  readonly position: number
  readonly atMs: number
}

export class LiveWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'parley-live-'))
  readonly file = join(this.folder, 'parley.sqlite')
  readonly #clients: Client[] = []
  readonly acknowledged: Acknowledged[] = []
  readonly deleted: string[] = []
  readonly #deeds: Promise<void>[] = []
  #isOver = false
  app!: ParleyApp
  server!: ParleyServer
  devices: Device[] = []
  conversation!: ConversationId
  signedIn = 0
  /** Who wanted to sign in and could not. */
  turnedAway = 0

  static async start({ folder, app }: PreparedStore): Promise<LiveWorld> {
    const world = new LiveWorld()
    cpSync(folder, world.folder, { recursive: true })
    world.app = app
    world.server = await startParley({ dataFolder: world.folder })
    world.devices = await Promise.all(['alice', 'ben', 'cleo'].map((name) => world.signIn(name)))
    const made = await world.devices[0]!.client.createConversation({
      participants: ['ben', 'cleo', 'ada'],
      distinct: false,
    })
    await made.acknowledged
    world.conversation = made.id
    return world
  }

  mint = (userId: string, nonce: string) => {
    const { providerId, keyId, privateKeyPem: privateKey } = this.app
    return createIdentityTokenMinter({ providerId, keyId, privateKey }).mint({ userId, nonce })
  }

  async signIn(name: string): Promise<Device> {
    const { storage, replica } = storageToLookInto()
    const device = { name, replica, sockets: 0, sent: 0 } as unknown as { client: Client } & Device
    device.client = createClient({
      appId: this.app.appId,
      url: this.server.url,
      storage,
      webSocket: class extends WebSocket {
        constructor(address: string, protocols?: string | string[]) {
          super(address, protocols)
          device.sockets++
        }
      } as never,
      challenge: ({ nonce }) => this.mint(name, nonce),
    })
    this.#clients.push(device.client)
    await device.client.authenticate(name)
    return device
  }

  /** Everybody sends, Ben reads, Cleo deletes, strangers sign in, until it is stopped. */
  begin(): void {
    for (const device of this.devices) {
      for (let n = 0; n < WINDOW; n++) this.#do(this.#keepSending(device))
    }
    const [, ben, cleo] = this.devices as [Device, Device, Device]
    this.#do(
      this.#again(100, async () => {
        await (await ben.client.conversation(this.conversation).markRead())?.acknowledged
      }),
      this.#again(150, async () => {
        const last = (await this.messages(cleo)).findLast(
          ({ sender, deleted_at }) => sender === cleo.client.identity!.id && !deleted_at,
        )
        if (!last) return
        this.deleted.push(last.id)
        await (await cleo.client.conversation(this.conversation).deleteMessage(last.id, 'all_participants'))
          .acknowledged
      }),
      this.#again(200, async () => {
        try {
          await (await this.signIn(`guest ${this.signedIn}`)).client.close()
          this.signedIn++
        } catch {
          this.turnedAway++
        }
      }),
    )
  }

  /** Trouble is told when it is stopped. */
  #do(...deeds: Promise<void>[]): void {
    for (const deed of deeds) deed.catch(() => undefined)
    this.#deeds.push(...deeds)
  }

  async #keepSending(device: Device): Promise<void> {
    while (!this.#isOver) {
      const message = await device.client.conversation(this.conversation).sendText(`${device.name} #${device.sent++}`)
      const { position } = await message.acknowledged
      this.acknowledged.push({ id: message.id, position, atMs: performance.now() })
    }
  }

  async #again(everyMs: number, deed: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await deed()
      await sleep(everyMs)
    }
  }

  async flows(count = 100): Promise<void> {
    const before = this.acknowledged.length
    await until(() => this.acknowledged.length > before + count, 'writes flow')
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#deeds)
  }

  /** The longest time in which nobody was acknowledged anything. */
  longestPauseMs(sinceMs = 0): number {
    const times = this.acknowledged.map(({ atMs }) => atMs).filter((atMs) => atMs >= sinceMs)
    return Math.max(...times.slice(1).map((atMs, index) => atMs - times[index]!))
  }

  migrateStore(url: string, env?: Record<string, string>) {
    return parley(['migrate-store', '--json', '--data', this.folder, '--to', url], env)
  }

  async messages(device: Device): Promise<readonly MessageRow[]> {
    return (await device.replica()).scan('messages', { prefix: [this.conversation] })
  }

  /** Nothing acknowledged is lost, doubled or in another order: in the database, and on every device. */
  async check(url: string): Promise<void> {
    const wanted = this.acknowledged.map(({ id, position }) => [position, bare(id)]).sort(byPosition)
    expect(new Set(wanted.map(([position]) => position)).size).toBe(wanted.length)
    const rows = await query(
      url,
      'SELECT position, id, sender, parts, deleted_at FROM parley.messages WHERE conversation = $1 ORDER BY position',
      [bare(this.conversation)],
    )
    expect(rows.map(({ position, id }) => [Number(position), id])).toEqual(wanted)
    const deleted = rows.filter(({ deleted_at }) => deleted_at !== null).map(({ id }) => id)
    expect(deleted.sort()).toEqual([...new Set(this.deleted.map(bare))].sort())
    for (const device of this.devices) {
      await until(async () => (await this.messages(device)).length >= wanted.length, `${device.name} has everything`)
      const seen = await this.messages(device)
      expect(seen.map(({ position, id }) => [position, bare(id)])).toEqual(wanted)
      const own = seen
        .flatMap(({ parts }) => parts.map(({ body }) => body!.split(' #')))
        .filter(([name]) => name === device.name)
      const numbers = own.map(([, number]) => Number(number))
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    }
    expect(await strayIds(url)).toBe(0)
    const [here, there] = [rowsOfFile(this.file), await rowsOfDatabase(url)]
    const guests = (list: unknown[]) => (list as Row[]).filter(({ user_id }) => user_id?.startsWith('guest')).length
    expect(guests(there.identities!)).toBeGreaterThanOrEqual(this.signedIn)
    expect(guests(there.sessions!)).toBeGreaterThanOrEqual(this.signedIn)
    // Of apps in which nothing happened meanwhile, each row of each table is what it was.
    for (const table of Object.keys(here)) {
      const quiet = (list: unknown[]) => (list as Row[]).filter(({ app }) => app !== undefined && app < LIVE_APP)
      expect(quiet(there[table]!)).toEqual(quiet(here[table]!))
    }
    const sealed = (here.messages as Row[]).filter(({ app }) => app === LIVE_APP).map(({ id }) => id)
    const ids = new Set((there.messages as Row[]).map(({ id }) => id))
    expect(sealed.filter((id) => !ids.has(id))).toEqual([])
  }

  async close(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#clients.map((client) => client.close()))
    await this.server?.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const bare = (id: string) => id.slice(id.lastIndexOf('/') + 1)
const byPosition = ([a]: readonly unknown[], [b]: readonly unknown[]) => Number(a) - Number(b)

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

import { type Client, type ClientOptions, createClient, type Replica } from '@parley/client'
import { type ConversationId, hasPosition, type Row, type StreamId } from '@parley/protocol'
import { WebSocket } from 'ws'
import type { Arrival, CopiedRow, Copy, DeviceRecord, Shown } from '../checker/history.ts'
import { now, type Recorder } from './recorder.ts'
import { keyOfRow } from './store-view.ts'
import { WatchedStorage } from './watched-storage.ts'

export interface DeviceOptions extends Partial<Omit<ClientOptions, 'storage'>> {
  readonly name: string
  readonly userId: string
  readonly recorder: Recorder
  readonly appId: string
  readonly url: string
  readonly challenge: ClientOptions['challenge']
  /** What is thrown here is what the device sees of its disk. */
  readonly beforeCommit?: (writes: Parameters<Replica['commit']>[0]) => void
}

/** A screen that shows more is closed: nobody scrolls so far, and looking at it would be most of the load. */
const LONGEST_SCREEN = 500

/** One installation of the app: the SDK as it is shipped, on a replica that outlives it; everything is noted down. */
export class ExamDevice {
  readonly name: string
  readonly userId: string
  readonly storage: WatchedStorage
  readonly connections: string[] = []
  client: Client
  onlineSince = Number.POSITIVE_INFINITY
  identity = ''
  /** How often the app was asked for an identity token. */
  tokensAsked = 0
  readonly #options: DeviceOptions
  readonly #arrivals: Arrival[] = []
  readonly #shown: Shown[] = []
  #screens: ConversationId[] = []
  #looks = new Set<() => void>()

  constructor(options: DeviceOptions) {
    this.#options = options
    this.name = options.name
    this.userId = options.userId
    this.storage = new WatchedStorage({
      ...(options.beforeCommit && { beforeCommit: options.beforeCommit }),
      onOutbox: (id, order) => options.recorder.placed(id, order),
      onMessage: ({ conversation, position, id: message }, isBackfill) =>
        this.#arrivals.push({
          at: now(),
          conversation,
          position,
          message,
          isBackfill,
          wasOnlineSince: this.onlineSince,
        }),
    })
    this.client = this.#start()
  }

  #start(): Client {
    const { name, userId, recorder, beforeCommit, challenge, ...options } = this.#options
    const client = createClient({
      webSocket: WebSocket as never,
      hints: (look) => {
        this.#looks.add(look)
        return () => this.#looks.delete(look)
      },
      ...options,
      challenge: (asked) => {
        this.tokensAsked++
        return challenge(asked)
      },
      storage: this.storage,
    })
    client.on('connection', ({ state }) => {
      this.connections.push(state)
      if (state === 'live') this.onlineSince = now()
      else if (state !== 'probing') this.onlineSince = Number.POSITIVE_INFINITY
    })
    return client
  }

  async signIn(): Promise<void> {
    this.identity = (await this.client.authenticate(this.userId)).id
  }

  /** The device believes that the network came back: it looks at once instead of waiting its turn. */
  nudge(): void {
    // A live connection would only be made to prove itself.
    if (this.client.connection.state === 'waiting') for (const look of this.#looks) look()
  }

  get isLive(): boolean {
    const { state } = this.client.connection
    return state === 'live' || state === 'probing'
  }

  /** The page is reloaded without a chance to tidy up. */
  async reload(): Promise<void> {
    const old = this.client
    this.onlineSince = Number.POSITIVE_INFINITY
    const closing = old.close()
    this.client = this.#start()
    await Promise.all([closing, this.client.opened])
    for (const conversation of this.#screens.splice(0)) this.watch(conversation)
  }

  /** A screen opens on this conversation. */
  watch(conversation: ConversationId): void {
    this.#screens.push(conversation)
    let update = 0
    const screen = this.client.messages({ conversation, window: 2 * LONGEST_SCREEN })
    screen.subscribe(({ snapshot, changes }) => {
      if (snapshot.length > LONGEST_SCREEN) return screen.close()
      const positions = snapshot.map(({ position }) => position ?? Number.POSITIVE_INFINITY)
      const isSorted = positions.every((position, i) => i === 0 || position >= positions[i - 1]!)
      update++
      for (const { type, item } of changes) {
        this.#shown.push({ conversation, update, type, message: item.id, status: item.status, isSorted })
      }
    })
  }

  send(conversation: ConversationId, body: string) {
    return this.operate('send-message', conversation, () => this.client.conversation(conversation).sendText(body), {
      body,
    })
  }

  /** Any other verb, noted down the same way. */
  operate<T extends { readonly operationId: string; readonly acknowledged: Promise<unknown> }>(
    name: string,
    conversation: ConversationId,
    call: () => Promise<T | undefined>,
    about: { readonly body?: string; readonly message?: string } = {},
  ) {
    const { recorder } = this.#options
    const { name: device, identity } = this
    return recorder.record({ device, identity, name, conversation, ...about }, call)
  }

  async replica(): Promise<Replica> {
    return this.storage.open(this.#options.appId)
  }

  /** Nothing is waiting to be sent or fetched. */
  async isLevel(): Promise<boolean> {
    const replica = await this.replica()
    const [entries, streams] = await Promise.all([replica.count('outbox'), replica.scan('streams')])
    return this.isLive && entries === 0 && streams.every((stream) => stream.sequence >= stream.head && isWhole(stream))
  }

  async record(): Promise<DeviceRecord> {
    const replica = await this.replica()
    const conversations = await listed(this.client)
    return {
      name: this.name,
      identity: this.identity,
      copy: await copyOf(replica),
      arrivals: [...this.#arrivals],
      shown: [...this.#shown],
      unread: Object.fromEntries(conversations.map(({ id, unreadCount }) => [id, unreadCount])),
      lastMessage: Object.fromEntries(conversations.map(({ id, lastMessage }) => [id, lastMessage?.id ?? null])),
      leftInOutbox: (await replica.scan('outbox')).map((entry) => `${entry.name} (${entry.state.state})`),
      unsettled: this.#options.recorder.unsettledOf(this.name),
    }
  }
}

const isWhole = ({ stream, complete, head }: { stream: StreamId; complete: boolean; head: number }) =>
  stream === 'inbox' || complete || head === 0

async function listed(client: Client) {
  const query = client.conversations({ window: 10_000 })
  await query.ready
  const conversations = query.snapshot().filter(({ state }) => state === 'synced')
  query.close()
  return conversations
}

/** The rows of a replica as streams hold them. */
export async function copyOf(replica: Replica): Promise<Copy> {
  const rows: CopiedRow[] = []
  const put = (stream: StreamId, row: Row) => rows.push({ stream, key: keyOfRow(row), row })
  for (const row of await replica.scan('conversations')) put(row.id, row)
  for (const { conversation, ...row } of await replica.scan('participants')) put(conversation, row)
  for (const { conversation, ...row } of await replica.scan('messages')) put(conversation, row)
  for (const row of await replica.scan('memberships')) put('inbox', row)
  return { streams: await replica.scan('streams'), rows }
}

/**
 * What can be compared: conversations in which the identity takes part. One it was removed from is a memory of its own,
 * and messages it has hidden are kept by nobody else's wish.
 */
export function comparable(copy: Copy): Copy {
  const hidden = new Map<string, readonly number[]>()
  const away = new Set<string>()
  for (const { row } of copy.rows) {
    if (row.type !== 'membership') continue
    hidden.set(row.conversation, row.hidden)
    if (row.state !== 'joined') away.add(row.conversation)
  }
  return {
    streams: copy.streams.filter(({ stream }) => !away.has(stream)),
    rows: copy.rows.filter(
      ({ stream, row }) =>
        !away.has(stream) && !(row.type === 'message' && hasPosition(hidden.get(stream) ?? [], row.position)),
    ),
  }
}

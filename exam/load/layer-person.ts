import type { ConversationId } from '@parley/protocol'
import { until } from '@parley/testkit'
import type { SdkMessage } from 'layer-websdk'
import { openNodeSdk } from '../../packages/server/test/layer/support/node-sdk.ts'
import type { SdkHost } from '../../packages/server/test/layer/support/sdk-host.ts'
import type { RowContext } from '../row.ts'
import type { Heard, Shown } from './message-story.ts'
import type { ReachableServer } from './reachable-server.ts'
import type { Recorder } from './recorder.ts'

/** Between two messages. */
const EVERY_MS = 150
/** Time for the receipts that it has still to tell in the end. */
const TELLING_MS = 20_000
/** What came within this came in one turn, or nearly. */
const TOGETHER_MS = 3

/** Somebody with Layer's own SDK, as published, in a process of its own, who chats along. */
export class LayerPerson {
  readonly userId: string
  /** Receipts that it had not told in the end. */
  untold = 0
  readonly #sdk: SdkHost
  readonly #recorder: Recorder

  private constructor(userId: string, sdk: SdkHost, recorder: Recorder) {
    this.userId = userId
    this.#sdk = sdk
    this.#recorder = recorder
  }

  static async signedIn(
    context: RowContext,
    { server, recorder }: { readonly server: ReachableServer; readonly recorder: Recorder },
    userId: string,
  ): Promise<LayerPerson> {
    const { url, websocketUrl, app, minter } = server
    const identityToken = (nonce: string) => minter.mint({ userId, nonce })
    const sdk = await openNodeSdk({ url, websocketUrl, appId: app.appId, identityToken })
    context.onEnd(() => sdk.close())
    await sdk.run(({ client }, id) => client.connect(id), userId)
    await sdk.until(({ client }) => client.isReady)
    return new LayerPerson(userId, sdk, recorder)
  }

  /** Begins to write into a conversation, one message after the other, each when the one before was sent. */
  async chat(conversation: ConversationId): Promise<{ stop(): Promise<void> }> {
    await this.#sdk.until((sdk, id) => sdk.client.getConversation(id) !== undefined, conversation)
    await this.#sdk.run(
      (sdk, { id, name, everyMs }) => {
        const said: Writable<Said>[] = []
        const query = sdk.client.createQuery({
          model: sdk.layer.Query.Message,
          paginationWindow: 500,
          predicate: `conversation.id = '${id}'`,
        })
        sdk.queries.chat = query
        // What no query holds is forgotten now and then.
        sdk.queries.all = sdk.client.createQuery({ model: sdk.layer.Query.Conversation, paginationWindow: 100 })
        const chat = { said, isOver: false }
        Object.assign(globalThis, { chat })
        // Without a name of its own: it travels as text.
        setInterval(() => {
          // What its queries lost sight of while they were loaded anew the SDK drops, and says no more about it.
          const last = said.at(-1)
          if (last && !last.isSent && !sdk.client.getMessage(last.id)) last.isDropped = true
          if (chat.isOver || (last && !last.isSent && !last.isDropped)) return
          const message = sdk.client.getConversation(id)?.createMessage(`${name} #${said.length}`)
          // Not at hand for a moment, while it makes up for what it missed.
          if (!message) return
          const one: Writable<Said> = {
            id: message.id,
            body: `${name} #${said.length}`,
            isSent: false,
            isDropped: false,
            position: 0,
          }
          said.push(one)
          message.on('messages:sent', () => {
            one.isSent = true
            one.position = message.position
          })
          message.on('messages:sent-error', ({ error }) => {
            one.refusal = String((error as { id?: string } | undefined)?.id)
          })
          message.send()
        }, everyMs)
      },
      { id: conversation, name: this.userId, everyMs: EVERY_MS },
    )
    return { stop: () => this.#stop(conversation) }
  }

  /** Its process may have ended; why, it said last. */
  static async #lastWords<T>(call: Promise<T>): Promise<T> {
    return call.catch((error: Error) => {
      const [why = error.message.slice(-390)] = /^\w*Error: .*$/m.exec(error.message) ?? []
      throw new Error(why, { cause: error })
    })
  }

  /** Resolves when what was written last is sent, and writes everything into the book. */
  async #stop(conversation: ConversationId): Promise<void> {
    const told = () =>
      LayerPerson.#lastWords(
        this.#sdk.run(() => {
          const { chat } = globalThis as unknown as { chat: { said: Said[]; isOver: boolean } }
          chat.isOver = true
          return chat.said
        }),
      )
    await until(
      async () => (await told()).every(({ isSent, isDropped }) => isSent || isDropped),
      `${this.userId}'s last message is sent`,
      60_000,
    )
    await this.#fallSilent()
    for (const one of await told()) {
      const { id, body } = one
      const about = { device: this.userId, identity: '', name: 'send-message', conversation, body }
      await this.#recorder.record(about, async () => ({
        operationId: id,
        id,
        acknowledged: outcomeOf(one),
      }))
    }
  }

  /**
   * It says of each message by itself that it came, one request after the other, and after trouble slowly: a minute of
   * others' chat may take it longer than the others take to be level. What it has told by now counts; from here on it
   * only listens.
   */
  async #fallSilent(): Promise<void> {
    const left = () => this.#sdk.run(({ client }) => client.syncManager.receiptQueue.length)
    await until(async () => (await left()) === 0, 'its receipts are told', TELLING_MS).catch(() => undefined)
    this.untold = await this.#sdk.run(({ client: { syncManager } }) => {
      const { length } = syncManager.receiptQueue
      const request = syncManager.request.bind(syncManager)
      syncManager.receiptQueue = []
      syncManager.request = (asked) => {
        if (asked.operation !== 'RECEIPT') request(asked)
      }
      return length
    })
  }

  /** What its screen shows of the conversation, by position; the newest 500. */
  shown(): Promise<readonly Shown[]> {
    return this.#sdk.run((sdk) =>
      (sdk.queries.chat as unknown as { data: SdkMessage[] }).data
        .map(({ id, position, isDestroyed }) => ({ id, position, isLetGo: isDestroyed }))
        .sort((a, b) => a.position - b.position),
    )
  }

  /** All that went over its wire about a message, and when it was connected anew and told again. */
  heardOf(message: string): Promise<readonly Heard[]> {
    return this.#sdk.run(
      ({ wire }, { uuid, togetherMs }) => {
        return wire.flatMap((entry, i) => {
          const { way, what, status = '', at } = entry
          const isAbout = what.includes(uuid) || JSON.stringify(entry.body ?? '').includes(uuid)
          if (!isAbout && what !== 'socket' && !what.endsWith('Event.replay')) return []
          const near = wire.slice(Math.max(0, i - 8), i + 9)
          // Without a name of its own: it travels as text.
          const together = near
            .filter((one) => one.way === 'down' && Math.abs(one.at - at) < togetherMs)
            .map((one) => {
              const { object } = (one.body as { body?: { object?: { id: string } } } | undefined)?.body ?? {}
              return `${one.what.replace('change ', '')} ${object?.id.slice(-4) ?? ''}`.trim()
            })
          return [{ at, isAbout, what: `${way} ${what} ${status}`.trim(), together: way === 'down' ? together : [] }]
        })
      },
      { uuid: message.slice(-36), togetherMs: TOGETHER_MS },
    )
  }
}

function outcomeOf({ isSent, refusal, position }: Said): Promise<unknown> {
  if (isSent) return Promise.resolve({ position })
  return refusal === undefined
    ? new Promise(() => undefined)
    : Promise.reject({ code: 'refused', refusal: { id: refusal } })
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

interface Said {
  readonly id: string
  readonly body: string
  readonly isSent: boolean
  /** Forgotten by the SDK before it was answered: it may have been sent. */
  readonly isDropped: boolean
  /** Why it was refused. */
  readonly refusal?: string | undefined
  readonly position: number
}

/**
 * The engine: keeps one identity's replica level with the server, and sends its outbox.
 *
 * It owns the connection and its frames, the order in which they are written, and the timers of everything below it. It
 * decides little: the machine says when to connect, `frame-writer.ts` what becomes of a frame, `requests.ts` what is asked
 * for, `Sender` what goes out.
 *
 *     socket ─► frames ─► (in order, one at a time) ─► frame writer: one commit, memory follows ─► what next?
 *                                                                                       pull, page, send
 *
 * A commit that fails leaves memory as it was: the engine reads the replica again and reconnects, which repeats what
 * was lost.
 */
import type { DownFrame, IdentityId, RowsFrame, UpFrame } from '@parley/protocol'
import type { Tell } from '../client-types.ts'
import type { Chance, Clock } from '../environment.ts'
import type { Online, OnlinePart } from '../online-part.ts'
import type { Draft } from '../outbox/drafting.ts'
import { Outbox } from '../outbox/outbox.ts'
import type { Sender } from '../outbox/sender.ts'
import type { Replica, ReplicaError } from '../replica/replica.ts'
import type { SocketAddress } from '../transport/socket.ts'
import { Connection } from './connection.ts'
import type { ConnectionState } from './connection-state.ts'
import { FrameQueue } from './frame-queue.ts'
import { FrameWriter } from './frame-writer.ts'
import { History, type HistoryProgress } from './history.ts'
import { Requests } from './requests.ts'
import { SerialQueue } from './serial-queue.ts'
import type { SessionHolder } from './session-holder.ts'
import { Streams } from './streams.ts'
import type { TypingExchange } from './typing-exchange.ts'

/** A device without room is asked again this often. */
export const FULL_RETRY_MS = 30_000

export interface EnginePorts {
  readonly replica: Replica
  readonly identity: IdentityId
  readonly session: SessionHolder
  readonly address: SocketAddress
  readonly clock: Clock
  readonly chance: Chance
  readonly online: OnlinePart
  readonly tell: Tell
}

export class Engine {
  readonly outbox: Outbox
  readonly #ports: EnginePorts
  readonly #writer = new SerialQueue()
  readonly #connection: Connection
  #sender: Sender | undefined
  readonly #streams = new Streams()
  #madeRequests: Requests | undefined
  readonly #history: History
  #typing: TypingExchange | undefined
  readonly #frameWriter: FrameWriter
  readonly #frames: FrameQueue
  /** Rises when what is under way is void: after a failure, and at the end. */
  #run = 0
  #isClosed = false
  #isStorageFine = true
  #cancelHistoryRetry: (() => void) | undefined

  constructor(ports: EnginePorts) {
    const { clock, chance, replica, session, tell, identity } = ports
    this.#ports = ports
    this.#history = new History(this.#streams)
    this.outbox = new Outbox({
      replica,
      online: ports.online,
      clock,
      identity,
      writer: this.#writer,
      sequenceOf: (stream) => this.#streams.get(stream)?.sequence ?? 0,
      onFailed: (entries) => tell('operation-failed', { entries }),
      onRelabelled: (from, to) => tell('relabelled', { from, to }),
      onReady: () => this.#sender?.pump(),
    })
    this.#frameWriter = new FrameWriter({
      ...ports,
      outbox: this.outbox,
      streams: this.#streams,
      history: this.#history,
      onReceipt: () => {
        this.#sender?.hush()
        this.#sender?.pump()
      },
    })
    this.#frames = new FrameQueue({
      write: (frame) => this.#take(() => this.#write(frame)),
      settle: (answers) => this.#take(async () => this.#sender?.answered(answers)),
    })
    this.#connection = new Connection({
      address: ports.address,
      greeted: () => session.takeSocket(),
      online: ports.online,
      clock,
      chance,
      hello: () => ({ type: 'hello', session_token: session.sessionToken, ...this.#frameWriter.since }),
      onState: (state, before) => this.#connectionChanged(state, before),
      onFrame: (frame) => this.#receive(frame),
      onLeaving: (go) => this.#sender?.leave(go),
      onSocketError: (error) => tell('problem', { error }),
    })
  }

  /** Present once a connection was tried: whoever types before that has nobody to tell. */
  get typing(): TypingExchange | undefined {
    const { clock, online, tell } = this.#ports
    if (!online.present) return undefined
    this.#typing ??= new online.present.TypingExchange({
      clock,
      // A conversation the server doesn't know yet has nobody to tell (TYPE-6).
      say: ({ conversation, action }) => {
        if (this.#streams.get(conversation)) this.#connection.send({ type: 'typing', conversation, action })
      },
      onTyping: (conversation, typing, paused) => tell('typing', { conversation, typing, paused }),
    })
    return this.#typing
  }

  get #requests(): Requests {
    this.#madeRequests ??= new Requests({
      online: this.#online,
      clock: this.#ports.clock,
      streams: this.#streams,
      history: this.#history,
      isReady: () => this.isLive && this.#frameWriter.hasHeads && !this.#isClosed,
      say: (frame) => this.say(frame),
    })
    return this.#madeRequests
  }

  /** What frames are merged with. No frame is heard before it is present. */
  get #online(): Online {
    return this.#ports.online.present!
  }

  /** Reads what an earlier run left; everything works offline from here on. */
  async load(): Promise<void> {
    await this.outbox.load()
    await this.#frameWriter.load()
  }

  get connection(): ConnectionState {
    return this.#connection.state
  }

  get isLive(): boolean {
    return this.#connection.isLive
  }

  get historyProgress(): HistoryProgress {
    return this.#history.progress(this.isLive, this.#frameWriter.since.cursor !== null)
  }

  #tellHistory(): void {
    this.#ports.tell('history', this.historyProgress)
  }

  start(): void {
    if (!this.#isClosed) this.#connection.dispatch({ event: 'start' })
  }

  stop(): void {
    this.#connection.dispatch({ event: 'stop' })
  }

  /** The browser believes to be online or offline, or woke up. */
  hint(): void {
    this.#connection.dispatch({ event: 'hint' })
  }

  /** A new session is there, after the server knew of none. */
  admit(): void {
    this.#connection.dispatch({ event: 'admitted' })
  }

  /** Answers false when there is no connection. */
  say(frame: UpFrame): boolean {
    return this.#connection.send(frame)
  }

  /** Stores an operation and lets it go out. */
  async add(draft: Draft, isEcho = false): ReturnType<Outbox['add']> {
    const placed = await this.outbox.add(draft, isEcho)
    if (draft.name === 'send-message') this.typing?.stop(placed.conversation)
    return placed
  }

  /** Settles once everything received and asked for so far is written. */
  idle(): Promise<void> {
    return this.#writer.idle()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#run++
    this.stop()
    this.typing?.close()
    this.#cancelHistoryRetry?.()
    this.#frames.clear()
    await this.#writer.idle()
  }

  #connectionChanged(state: ConnectionState, before: ConnectionState): void {
    const wasLive = before.state === 'live' || before.state === 'probing'
    if (wasLive && !this.isLive) this.#lost()
    if (!wasLive && state.state === 'live') this.#startSending()
    this.#ports.session.connectionChanged(state)
    if (this.connection === state) this.#ports.tell('connection', state)
  }

  #startSending(): void {
    const { clock, chance } = this.#ports
    this.#sender ??= new this.#online.Sender({
      outbox: this.outbox,
      clock,
      chance,
      settle: (answers) => this.#writer.run(() => this.#frameWriter.settle(answers)),
      onBroken: (error) => this.#fail(error),
    })
    this.#sender.start((frame) => this.#connection.send(frame))
  }

  #lost(): void {
    this.#sender?.stop()
    this.#requests.reset()
    this.typing?.lost()
    this.#frameWriter.lost()
    // What was received but not written comes again: the cursor does not claim it.
    this.#frames.clear()
    this.#run++
    this.#tellHistory()
  }

  // -- frames in -----------------------------------------------------------------------------------------------------

  #receive(frame: DownFrame): void {
    const { session } = this.#ports
    switch (frame.type) {
      case 'welcome':
        this.#frameWriter.greeted(frame.epoch)
        this.#requests.patrol()
        session.welcomed(frame)
        return
      case 'challenge':
        session.challenged(frame.nonce)
        return
      case 'renewed':
        session.renewed(frame.session)
        return
      case 'goodbye':
        session.saidGoodbye(frame)
        return
      case 'refusal':
        if (frame.id === undefined) session.refused(frame.error)
        else this.#requests.refused(frame.id)
        return
      case 'typing':
        this.typing?.hear(frame)
        return
      case 'pong':
      case 'move':
        return
      case 'heads':
      case 'change':
      case 'rows':
      case 'acknowledgement':
        this.#frames.push(frame)
        return
    }
  }

  async #take(work: () => Promise<void>): Promise<void> {
    const run = this.#run
    try {
      await work()
      if (!this.#isStorageFine && !this.#history.isPaused) this.#storageWorks()
    } catch (error) {
      if (run === this.#run) this.#fail(error)
    }
    this.#requests.pursue()
  }

  #write(frame: DownFrame): Promise<void> {
    return this.#writer.run(async () => {
      if (frame.type === 'heads') {
        if (await this.#frameWriter.writeHeads(frame)) this.#tellHistory()
      } else if (frame.type === 'change') {
        if (!(await this.#frameWriter.writeChange(frame)) || frame.stream === 'inbox') return
        // Who sent a message has stopped typing it.
        for (const row of frame.rows) if (row.type === 'message') this.typing?.ended(frame.stream, row.sender)
      } else if (frame.type === 'rows') await this.#writeRows(frame)
    })
  }

  async #writeRows(frame: RowsFrame): Promise<void> {
    const answered = this.#requests.hear(frame)
    if (!('before' in answered)) return this.#frameWriter.writePulled(frame, answered)
    try {
      await this.#frameWriter.writePage(frame, answered.before)
      this.#tellHistory()
    } catch (error) {
      // History can wait for room; what is live goes on as long as it fits.
      if (!isFull(error)) throw error
      this.#pauseHistory(error)
    }
  }

  // -- when storage fails --------------------------------------------------------------------------------------------

  /** The replica did not take a frame. Whatever memory holds beyond it is void: read again, connect again. */
  #fail(error: unknown): void {
    const { code } = error as Partial<ReplicaError>
    if (this.#isClosed || code === 'closed' || code === 'fenced') return
    this.#storageFails(error)
    const retryAfterMs = isFull(error) ? FULL_RETRY_MS : 0
    this.#connection.dispatch({ event: 'goodbye', reason: 'protocol_error', retryAfterMs })
    this.#writer.run(() => this.load()).catch((cause) => this.#storageFails(cause))
  }

  #pauseHistory(error: unknown): void {
    this.#storageFails(error)
    this.#history.isPaused = true
    this.#requests.dropPages()
    this.#tellHistory()
    this.#cancelHistoryRetry?.()
    this.#cancelHistoryRetry = this.#ports.clock.after(FULL_RETRY_MS, () => {
      this.#history.isPaused = false
      this.#tellHistory()
      this.#requests.pursue()
    })
  }

  #storageFails(error: unknown): void {
    this.#isStorageFine = false
    this.#ports.tell('storage', { state: isFull(error) ? 'full' : 'failed', error })
  }

  #storageWorks(): void {
    this.#isStorageFine = true
    this.#ports.tell('storage', { state: 'ok' })
  }
}

const isFull = (error: unknown) => (error as Partial<ReplicaError>).code === 'full'

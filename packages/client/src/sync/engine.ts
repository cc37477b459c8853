/**
 * The engine: keeps one identity's replica level with the server, and sends its outbox.
 *
 * It owns the connection and its frames, the one writer of the replica, the streams in memory, the cursor and the
 * epoch, and the timers of everything below it. It decides little: the machine says when to connect, `merge.ts` what
 * a frame means, `Streams` what is missing, `Sender` what goes out, `delivery-receipt.ts` what others are told.
 *
 *     socket ─► frames ─► (in order, one at a time) ─► merge ─► one commit ─► memory follows ─► what next?
 *                                                                              pull, page, receipt, send
 *
 * A commit that fails leaves memory as it was: the engine reads the replica again and reconnects, which repeats what
 * was lost.
 */
import type {
  AcknowledgementFrame,
  DownFrame,
  GoodbyeFrame,
  IdentityId,
  RowsFrame,
  SessionInfo,
  StreamId,
  UpFrame,
  WelcomeFrame,
  WireError,
} from '@parley/protocol'
import type { Tell } from '../client-types.ts'
import type { Chance, Clock } from '../environment.ts'
import type { Online, OnlinePart } from '../online-part.ts'
import type { Draft } from '../outbox/drafting.ts'
import { Outbox } from '../outbox/outbox.ts'
import type { Sender } from '../outbox/sender.ts'
import type { Replica, ReplicaError, Write } from '../replica/replica.ts'
import type { Socket, SocketFactory } from '../transport/socket.ts'
import { Connection } from './connection.ts'
import type { ConnectionState } from './connection-state.ts'
import { FrameQueue } from './frame-queue.ts'
import { History, type HistoryProgress } from './history.ts'
import type { Merge } from './merge.ts'
import { CURSOR, EPOCH, readSince } from './meta-rows.ts'
import type { Pulls } from './pulls.ts'
import { SerialQueue } from './serial-queue.ts'
import type { StoredRows } from './stored-rows.ts'
import { Streams } from './streams.ts'
import type { TypingExchange } from './typing-exchange.ts'

/** How often requests that nobody answers are looked for. */
const PATROL_MS = 5_000
/** A device without room is asked again this often. */
export const FULL_RETRY_MS = 30_000
/** Whose session the connection is opened with; hears what the server says of it. */
export interface SessionHolder {
  readonly sessionToken: string
  /** The socket on which the session was opened just now, if it was: hello was said on it. */
  takeSocket(): Socket | undefined
  connectionChanged(state: ConnectionState): void
  welcomed(welcome: Pick<WelcomeFrame, 'identity' | 'session'>): void
  challenged(nonce: string): void
  renewed(session: SessionInfo): void
  /** A refusal that names no request: of a renewal, if one is out. */
  refused(error: WireError): void
  saidGoodbye(goodbye: GoodbyeFrame): void
}

export interface EnginePorts {
  readonly url: string
  readonly replica: Replica
  readonly identity: IdentityId
  readonly session: SessionHolder
  readonly sockets: SocketFactory
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
  #madePulls: Pulls | undefined
  readonly #history: History
  #typing: TypingExchange | undefined
  /** Up to where others were told, this run, that messages arrived. */
  readonly #toldDelivered = new Map<StreamId, number>()
  #cursor: string | null = null
  #epoch: string | null = null
  /** The epoch of the present connection, until the last heads are stored. */
  #newEpoch: string | null = null
  /** Heads collected while the streams of two epochs are compared. */
  #comparing: Map<StreamId, number> | undefined
  #hasHeads = false
  readonly #frames = new FrameQueue()
  #isDraining = false
  /** Rises when what is under way is void: after a failure, and at the end. */
  #run = 0
  #isClosed = false
  #isStorageFine = true
  #lastRequest = 0
  #cancelPatrol: (() => void) | undefined
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
    this.#connection = new Connection({
      url: ports.url,
      sockets: ports.sockets,
      greeted: () => session.takeSocket(),
      online: ports.online,
      clock,
      chance,
      hello: () => ({
        type: 'hello',
        session_token: session.sessionToken,
        cursor: this.#cursor,
        epoch: this.#epoch,
      }),
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

  get #pulls(): Pulls {
    this.#madePulls ??= new this.#online.Pulls()
    return this.#madePulls
  }

  /** What frames are merged with. No frame is heard before it is present. */
  get #online(): Online {
    return this.#ports.online.present!
  }

  /** Reads what an earlier run left; everything works offline from here on. */
  async load(): Promise<void> {
    const { replica } = this.#ports
    await this.outbox.load()
    const [streams, messages, { cursor, epoch }] = await Promise.all([
      replica.scan('streams'),
      replica.count('messages'),
      readSince(replica),
    ])
    this.#streams.load(streams)
    this.#history.messages = messages
    this.#cursor = cursor
    this.#epoch = epoch
    await this.#dropUnseen()
  }

  /** A crash may have come between a copy's going and that of the operations that waited to be seen in it. */
  async #dropUnseen(): Promise<void> {
    for (const stream of this.outbox.settling) {
      if (stream === 'inbox' || this.#streams.get(stream)) continue
      const membership = await this.#ports.replica.get('memberships', [stream])
      if (membership?.state === 'left') await this.#dropSettled(stream)
    }
  }

  get connection(): ConnectionState {
    return this.#connection.state
  }

  get isLive(): boolean {
    return this.#connection.isLive
  }

  get historyProgress(): HistoryProgress {
    return this.#history.progress(this.isLive, this.#cursor !== null)
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
    this.#cancelPatrol?.()
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
      settle: (answers) => this.#writer.run(() => this.#settle(answers)),
      onBroken: (error) => this.#fail(error),
    })
    this.#sender.start((frame) => this.#connection.send(frame))
  }

  #lost(): void {
    this.#sender?.stop()
    this.#pulls.reset()
    this.#history.reset()
    this.typing?.lost()
    this.#hasHeads = false
    this.#comparing = undefined
    this.#cancelPatrol?.()
    this.#cancelPatrol = undefined
    // What was received but not written comes again: the cursor does not claim it.
    this.#frames.clear()
    this.#run++
    this.#ports.tell('history', this.historyProgress)
  }

  // -- frames in -----------------------------------------------------------------------------------------------------

  #receive(frame: DownFrame): void {
    const { session } = this.#ports
    switch (frame.type) {
      case 'welcome':
        this.#greeted(frame.epoch)
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
        this.#refused(frame.id, frame.error)
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
        this.#enqueue(frame)
        return
    }
  }

  #greeted(epoch: string): void {
    this.#newEpoch = epoch
    this.#comparing = this.#epoch !== null && this.#epoch !== epoch ? new Map() : undefined
    this.#patrol()
  }

  #enqueue(frame: DownFrame): void {
    this.#frames.push(frame)
    if (!this.#isDraining) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#isDraining = true
    try {
      for (let frame = this.#frames.next(); frame; frame = this.#frames.next()) {
        const run = this.#run
        try {
          if (frame.type === 'acknowledgement') await this.#sender?.answered(this.#frames.withAcknowledgements(frame))
          else await this.#write(frame)
          if (!this.#isStorageFine && !this.#history.isPaused) this.#storageWorks()
        } catch (error) {
          if (run === this.#run) this.#fail(error)
        }
        this.#pursue()
      }
    } finally {
      this.#isDraining = false
    }
  }

  #write(frame: DownFrame): Promise<void> {
    return this.#writer.run(async () => {
      if (frame.type === 'heads') await this.#writeHeads(frame)
      else if (frame.type === 'change') await this.#writeChange(frame)
      else if (frame.type === 'rows') await this.#writeRows(frame)
    })
  }

  async #writeHeads(frame: Extract<DownFrame, { type: 'heads' }>): Promise<void> {
    const isLast = frame.cursor !== null
    if (this.#comparing) {
      for (const { stream, sequence } of frame.streams) {
        this.#comparing.set(stream, Math.max(sequence, this.#comparing.get(stream) ?? 0))
      }
      if (!isLast) return
    }
    const { replica } = this.#ports
    const stored = await this.#online.readStoredHeads(replica, frame)
    const writes = this.#comparing
      ? await this.#online.compareStreams(replica, this.#streams.all(), this.#comparing)
      : []
    writes.push(...this.#online.mergeHeads(stored, this.#comparing ? { ...frame, streams: [] } : frame))
    if (isLast && this.#newEpoch !== null && this.#newEpoch !== this.#epoch) {
      writes.push({ type: 'put', table: 'meta', row: { name: EPOCH, value: this.#newEpoch } })
    }
    await this.#commit(writes)
    if (isLast) {
      this.#comparing = undefined
      this.#hasHeads = true
      this.#ports.tell('history', this.historyProgress)
    }
  }

  async #writeChange(frame: Extract<DownFrame, { type: 'change' }>): Promise<void> {
    const { stream, sequence } = frame
    if (this.#comparing) {
      this.#comparing.set(stream, Math.max(sequence, this.#comparing.get(stream) ?? 0))
      return
    }
    const stored = await this.#online.readStoredRows(this.#ports.replica, stream, frame.rows)
    await this.#commitMerge(
      stored,
      frame.rows,
      this.#online.mergeChange(stored, frame, { storesCursor: this.#hasHeads }),
    )
    for (const row of frame.rows) {
      // Who sent a message has stopped typing it.
      if (row.type === 'message' && stream !== 'inbox') this.typing?.ended(stream, row.sender)
    }
  }

  async #writeRows(frame: RowsFrame): Promise<void> {
    const now = this.#ports.clock.now()
    const page = this.#history.hear(frame.id, now)
    if (!page) return this.#writePulled(frame, now)
    const stored = await this.#online.readStoredRows(this.#ports.replica, frame.stream, frame.rows)
    try {
      await this.#commitMerge(stored, frame.rows, this.#online.mergePage(stored, frame, page.before))
    } catch (error) {
      // History can wait for room; what is live goes on as long as it fits.
      if (!isFull(error)) throw error
      this.#pauseHistory(error)
      return
    }
    const { oldest, complete } = this.#streams.get(frame.stream) ?? {}
    if (!complete && oldest === page.before) this.#streams.rest(frame.stream, now)
    this.#ports.tell('history', this.historyProgress)
  }

  async #writePulled(frame: RowsFrame, now: number): Promise<void> {
    const heard = this.#pulls.hear(frame, now)
    if (heard.kind === 'foreign') return
    const stored = await this.#online.readStoredRows(this.#ports.replica, frame.stream, frame.rows)
    if (heard.kind === 'next') {
      const merge = this.#online.mergePull(stored, frame, heard.after)
      await this.#commitMerge(stored, frame.rows, merge)
      if (merge.outcome === 'ignore') this.#streams.rest(frame.stream, now)
      // Denied (CON-9): no effect of ours will ever be seen there.
      if (frame.sequence === 0 && frame.rows.length === 0) await this.#dropSettled(frame.stream)
      return
    }
    const below = stored.stream && { ...stored.stream, sequence: Math.min(stored.stream.sequence, frame.sequence - 1) }
    const merge = this.#online.mergePull({ ...stored, stream: below }, frame, 0)
    if (merge.outcome === 'apply') await this.#commit(merge.writes.filter((write) => write.table !== 'streams'))
  }

  // -- into the replica ----------------------------------------------------------------------------------------------

  async #commitMerge(stored: StoredRows, rows: RowsFrame['rows'], merge: Merge): Promise<void> {
    if (merge.outcome === 'ignore') return
    const { stream } = merge
    if (merge.outcome === 'gap' || !stream) return this.#commit(merge.writes)
    const settled = this.outbox.settledBy(stream.stream, stream.sequence)
    const told = this.#toldDelivered.get(stream.stream) ?? 0
    const receipt = await this.#online.draftDeliveryReceipt(this.#ports, { stored, rows, stream, told })
    const drafted = receipt ? this.outbox.draftAll([receipt]) : undefined
    // Rows, how far we are, what that settles, and the promise to tell others: together or not at all.
    await this.#commit([...merge.writes, ...settled, ...(drafted?.writes ?? [])])
    this.outbox.dropSettled(stream.stream, stream.sequence)
    if (drafted && receipt) {
      this.#toldDelivered.set(stream.stream, receipt.input.position)
      this.outbox.place(drafted)
      this.#sender?.hush()
      this.#sender?.pump()
    }
  }

  async #settle(answers: readonly AcknowledgementFrame[]): Promise<void> {
    await this.outbox.settle(answers)
    // What happened in a stream of which there is no copy any more (left, denied) will not be seen to happen.
    for (const answer of answers) {
      if (!('stream' in answer) || answer.stream === 'inbox' || this.#streams.get(answer.stream)) continue
      const membership = await this.#ports.replica.get('memberships', [answer.stream])
      if (membership?.state === 'left') await this.#dropSettled(answer.stream)
    }
  }

  async #dropSettled(stream: StreamId): Promise<void> {
    const writes = this.outbox.settledBy(stream, Infinity)
    if (writes.length > 0) await this.#commit(writes)
    this.outbox.dropSettled(stream, Infinity)
  }

  /** Commits what can be downloaded again, and lets memory follow. Inside a job of the writer. */
  async #commit(writes: readonly Write[]): Promise<void> {
    if (writes.length === 0) return
    await this.#ports.replica.commit(writes, { durability: 'relaxed' })
    for (const write of writes) {
      if (write.type !== 'put') continue
      if (write.table === 'positions') this.#history.messages++
      else if (write.table === 'meta' && write.row.name === CURSOR) this.#cursor = write.row.value as string
      else if (write.table === 'meta' && write.row.name === EPOCH) this.#epoch = write.row.value as string
    }
    for (const stream of this.#streams.follow(writes)) await this.#dropSettled(stream)
  }

  // -- what next -----------------------------------------------------------------------------------------------------

  /** Asks for what is missing, unless it is on its way. */
  #pursue(): void {
    if (!this.isLive || !this.#hasHeads || this.#isClosed) return
    const now = this.#ports.clock.now()
    if (this.#pulls.isIdle) {
      const behind = this.#streams.behind(now)
      if (behind.length > 0) this.say(this.#pulls.start(++this.#lastRequest, behind, now))
    }
    for (let page = this.#history.next(this.#lastRequest + 1, now); page; ) {
      this.#lastRequest++
      this.say(page)
      page = this.#history.next(this.#lastRequest + 1, now)
    }
  }

  /** Looks for requests that nobody answers any more. */
  #patrol(): void {
    this.#cancelPatrol?.()
    this.#cancelPatrol = this.#ports.clock.after(PATROL_MS, () => {
      const now = this.#ports.clock.now()
      this.#pulls.expire(now)
      this.#history.expire(now)
      this.#pursue()
      this.#patrol()
    })
  }

  #refused(id: number | undefined, error: WireError): void {
    if (id === undefined) this.#ports.session.refused(error)
    // The patrol asks again, which is soon enough for a server that has just said no.
    else if (!this.#pulls.refused(id)) this.#history.refused(id)
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
    this.#history.pause()
    this.#history.reset()
    this.#ports.tell('history', this.historyProgress)
    this.#cancelHistoryRetry?.()
    this.#cancelHistoryRetry = this.#ports.clock.after(FULL_RETRY_MS, () => {
      this.#history.resume()
      this.#ports.tell('history', this.historyProgress)
      this.#pursue()
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

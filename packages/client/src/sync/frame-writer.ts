/**
 * What the server says becomes rows: each frame one commit, with how far this device is, what that settles in the outbox
 * and what others are to be told of it, together or not at all. Memory follows the commit: one that fails leaves it as it
 * was. What a frame means is decided by `merge.ts`, what others are told by `delivery-receipt.ts`.
 *
 * It owns how far the server was heard (cursor and epoch) and the heads that are collected while the streams of two epochs
 * are compared. Every method that writes is for one job of the writer.
 */
import type { AcknowledgementFrame, DownFrame, RowsFrame, StreamId } from '@parley/protocol'
import type { Online } from '../online-part.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Write } from '../replica/replica.ts'
import { putMeta } from '../replica/writes.ts'
import type { EnginePorts } from './engine.ts'
import type { History } from './history.ts'
import type { Merge } from './merge.ts'
import { CURSOR, EPOCH, readSince, type Since } from './meta-rows.ts'
import type { PulledFrame } from './pulls.ts'
import type { StoredRows } from './stored-rows.ts'
import type { Streams } from './streams.ts'

type Frame<Type extends DownFrame['type']> = Extract<DownFrame, { readonly type: Type }>

export interface FrameWriterPorts extends Pick<EnginePorts, 'replica' | 'identity' | 'clock' | 'chance' | 'online'> {
  readonly outbox: Outbox
  readonly streams: Streams
  readonly history: History
  /** Others are to be told that messages arrived. */
  readonly onReceipt: () => void
}

export class FrameWriter {
  readonly #ports: FrameWriterPorts
  /** Up to where others were told, this run, that messages arrived. */
  readonly #toldDelivered = new Map<StreamId, number>()
  /** As the replica has it. */
  since: Since = { cursor: null, epoch: null }
  /** The epoch of the present connection, until the last heads are stored. */
  #newEpoch: string | null = null
  /** Heads collected while the streams of two epochs are compared. */
  #comparing: Map<StreamId, number> | undefined
  /** On this connection: what moved is known. */
  hasHeads = false

  constructor(ports: FrameWriterPorts) {
    this.#ports = ports
  }

  /** No frame is heard before it is present. */
  get #online(): Online {
    return this.#ports.online.present!
  }

  /** Reads what is there, after the outbox has. */
  async load(): Promise<void> {
    const { replica, streams, history, outbox } = this.#ports
    const [stored, messages, since] = await Promise.all([
      replica.scan('streams'),
      replica.count('messages'),
      readSince(replica),
    ])
    streams.load(stored)
    history.messages = messages
    this.since = since
    // A crash may have come between a copy's going and that of the operations that waited to be seen in it.
    for (const stream of outbox.settling) await this.#dropUnseen(stream)
  }

  greeted(epoch: string): void {
    const before = this.since.epoch
    this.#newEpoch = epoch
    this.#comparing = before !== null && before !== epoch ? new Map() : undefined
  }

  lost(): void {
    this.hasHeads = false
    this.#comparing = undefined
  }

  /** @returns whether these were the last */
  async writeHeads(frame: Frame<'heads'>): Promise<boolean> {
    const { replica, streams } = this.#ports
    const isLast = frame.cursor !== null
    if (this.#comparing) {
      for (const head of frame.streams) this.#compare(head)
      if (!isLast) return false
    }
    const stored = await this.#online.readStoredHeads(replica, frame)
    const writes = this.#comparing ? await this.#online.compareStreams(replica, streams.all(), this.#comparing) : []
    writes.push(...this.#online.mergeHeads(stored, this.#comparing ? { ...frame, streams: [] } : frame))
    if (isLast && this.#newEpoch !== this.since.epoch) {
      writes.push(putMeta(EPOCH, this.#newEpoch))
    }
    await this.#commit(writes)
    if (isLast) {
      this.#comparing = undefined
      this.hasHeads = true
    }
    return isLast
  }

  #compare({ stream, sequence }: { readonly stream: StreamId; readonly sequence: number }): void {
    this.#comparing!.set(stream, Math.max(sequence, this.#comparing!.get(stream) ?? 0))
  }

  /** @returns whether it was written, and not only noted */
  async writeChange(frame: Frame<'change'>): Promise<boolean> {
    if (this.#comparing) {
      this.#compare(frame)
      return false
    }
    const stored = await this.#read(frame)
    const merge = this.#online.mergeChange(stored, frame, { storesCursor: this.hasHeads })
    await this.#commitMerge(stored, frame, merge)
    return true
  }

  /** @param before the position below which it was asked for */
  async writePage(frame: RowsFrame, before: number | null): Promise<void> {
    const { streams, clock } = this.#ports
    const stored = await this.#read(frame)
    await this.#commitMerge(stored, frame, this.#online.mergePage(stored, frame, before))
    const { oldest, complete } = streams.get(frame.stream) ?? {}
    if (!complete && oldest === before) streams.rest(frame.stream, clock.now())
  }

  /** @param heard what it is to the pull that it answers */
  async writePulled(frame: RowsFrame, heard: PulledFrame): Promise<void> {
    if (heard.kind === 'foreign') return
    const { streams, clock } = this.#ports
    const stored = await this.#read(frame)
    if (heard.kind === 'next') {
      const merge = this.#online.mergePull(stored, frame, heard.after)
      await this.#commitMerge(stored, frame, merge)
      if (merge.outcome === 'ignore') streams.rest(frame.stream, clock.now())
      // No effect of ours will ever be seen there.
      if (this.#online.isDenied(frame)) await this.#dropSettled(frame.stream)
      return
    }
    const below = stored.stream && { ...stored.stream, sequence: Math.min(stored.stream.sequence, frame.sequence - 1) }
    const merge = this.#online.mergePull({ ...stored, stream: below }, frame, 0)
    if (merge.outcome === 'apply') await this.#commit(merge.writes.filter((write) => write.table !== 'streams'))
  }

  /** The server's final answers to operations. */
  async settle(answers: readonly AcknowledgementFrame[]): Promise<void> {
    await this.#ports.outbox.settle(answers)
    for (const answer of answers) if ('stream' in answer) await this.#dropUnseen(answer.stream)
  }

  /** What happened in a stream of which there is no copy any more (left, denied) will not be seen to happen. */
  async #dropUnseen(stream: StreamId): Promise<void> {
    const { replica, streams } = this.#ports
    if (stream === 'inbox' || streams.get(stream)) return
    const membership = await replica.get('memberships', [stream])
    if (membership?.state === 'left') await this.#dropSettled(stream)
  }

  async #dropSettled(stream: StreamId): Promise<void> {
    const { outbox } = this.#ports
    const writes = outbox.settledBy(stream, Infinity)
    if (writes.length > 0) await this.#commit(writes)
    outbox.dropSettled(stream, Infinity)
  }

  #read({ stream, rows }: Pick<RowsFrame, 'stream' | 'rows'>): Promise<StoredRows> {
    return this.#online.readStoredRows(this.#ports.replica, stream, rows)
  }

  async #commitMerge(stored: StoredRows, { rows }: Pick<RowsFrame, 'rows'>, merge: Merge): Promise<void> {
    if (merge.outcome === 'ignore') return
    const { stream } = merge
    if (merge.outcome === 'gap' || !stream) return this.#commit(merge.writes)
    const { outbox, onReceipt } = this.#ports
    const settled = outbox.settledBy(stream.stream, stream.sequence)
    const told = this.#toldDelivered.get(stream.stream) ?? 0
    const receipt = await this.#online.draftDeliveryReceipt(this.#ports, { stored, rows, stream, told })
    const drafted = receipt && outbox.draftAll([receipt])
    // Rows, how far we are, what that settles, and the promise to tell others: together or not at all.
    await this.#commit([...merge.writes, ...settled, ...(drafted?.writes ?? [])])
    outbox.dropSettled(stream.stream, stream.sequence)
    if (drafted) {
      this.#toldDelivered.set(stream.stream, receipt.input.position)
      outbox.place(drafted)
      onReceipt()
    }
  }

  /** Commits what can be downloaded again, and lets memory follow. */
  async #commit(writes: readonly Write[]): Promise<void> {
    if (writes.length === 0) return
    const { replica, streams, history } = this.#ports
    await replica.commit(writes, { durability: 'relaxed' })
    for (const write of writes) {
      if (write.type !== 'put') continue
      if (write.table === 'positions') history.messages++
      else if (write.table === 'meta' && (write.row.name === CURSOR || write.row.name === EPOCH)) {
        this.since = { ...this.since, [write.row.name]: write.row.value }
      }
    }
    for (const stream of streams.follow(writes)) await this.#dropSettled(stream)
  }
}

/**
 * From hints to what listeners are told: in order, without a hole, with the store's help where hints are missing. Pure:
 * time is an argument, reading is somebody else's.
 *
 *     a hint says: the stream moved from `after` to `sequence`
 *
 *     sequence ≤ told             old: nothing to do
 *     after ≤ told < sequence     the next one: tell it, and those that were early
 *     told < after                a gap: wait a moment for what was overtaken, then read the store after `told`
 *     nothing told yet            tell it, unless something was lost lately: then read a little further back
 *     nobody listens here         forget the stream
 *     they all came later than    forget the stream: what moved it while nobody listened was not told to this node,
 *     it last moved here          and they have looked for themselves
 *
 * A stream is read at most once in {@link READ_EVERY_MS}, and ever more seldom while reading finds nothing new; a claim
 * that the store refuted is not looked into again for a while. So no hint, however wild, makes a storm of reads.
 */

/** No more than one read of a stream in this time. */
export const READ_EVERY_MS = 100
/** How long what was overtaken on the way is waited for before the store is asked. */
export const GRACE_MS = 30
/** The longest pause between reads of a stream that find nothing new, or fail. */
export const MAX_PAUSE_MS = 5_000
/** How long a claim that the store refuted is not looked into. */
export const REFUTED_MS = 30_000
/** How far back a stream is read of which nothing was told yet, though something may have been lost. */
export const RECENT = 100
/** How exact the order of streams is by which the longest quiet are forgotten: to put one behind all others takes time. */
const PLACED_EVERY_MS = 1_000
/** Hints of one stream that wait for those before them. */
const MAX_HELD = 64

export interface Hint<Told> {
  readonly stream: string
  readonly after: number
  readonly sequence: number
  /** What listeners are to be told; null: it has to be read. */
  readonly told: Told | null
}

export type Verdict<Told> =
  /** Tell these, in this order. */
  | { readonly verdict: 'tell'; readonly hints: readonly (Hint<Told> & { readonly told: Told })[] }
  /** It waits for others before it, or for a read. */
  | { readonly verdict: 'wait' }
  | { readonly verdict: 'old' }
  | { readonly verdict: 'not-ours' }
  /** It claims what the store does not have. */
  | { readonly verdict: 'refuted' }
  /** Too many streams wait to be read; whoever asks had better poll. */
  | { readonly verdict: 'overloaded' }

/** A read that is to be made now. */
export interface WantedRead {
  readonly stream: string
  readonly after: number
}

/** What a read brought. Rows up to `sequence` are to be told; those up to `after` were told before. */
export interface ReadTold<Told> {
  readonly read: { readonly after: number; readonly sequence: number } | null
  /** Then these. */
  readonly hints: readonly (Hint<Told> & { readonly told: Told })[]
}

interface Stream<Told> {
  /** When it was last heard of while somebody listened. */
  heardAt: number
  /** When it was put behind all others. */
  placedAt: number
  /** Everything from `from` up to here was told; undefined: nothing yet, or not since somebody listens. */
  told: number | undefined
  from: number
  /** When the first hint was told as it came; nothing vouches that it was not the second. */
  unsureSince: number
  held: Map<number, Hint<Told>> | undefined
  /** The greatest and the least claim that wait for a read. */
  wanted: number
  least: number
  /** Where to read from, and from when on; undefined: no read is wanted. */
  readFrom: number
  readAt: number | undefined
  reading: { readonly from: number; readonly wanted: number; readonly least: number } | undefined
  nextReadAt: number
  pauseMs: number
  /** Claims from here on are not looked into until then. */
  refutedFrom: number
  refutedUntil: number
}

export interface HintReaderOptions {
  /** Streams remembered; the longest quiet are forgotten first. */
  readonly capacity?: number
  /** Streams that may wait for a read at a time. */
  readonly maxWaiting?: number
}

export class HintReader<Told> {
  readonly #capacity: number
  readonly #maxWaiting: number
  /** The least recently moved first, as of {@link PLACED_EVERY_MS} ago. */
  readonly #streams = new Map<string, Stream<Told>>()
  /** Streams that want a read, or are being read. */
  readonly #open = new Map<string, Stream<Told>>()
  /** Something may have been lost since then. */
  #doubtfulSince: number | undefined
  /** When the last complete look into the store began. */
  #sureAt = Number.NEGATIVE_INFINITY

  constructor({ capacity = 200_000, maxWaiting = 10_000 }: HintReaderOptions = {}) {
    this.#capacity = capacity
    this.#maxWaiting = maxWaiting
  }

  /** Streams remembered. */
  get size(): number {
    return this.#streams.size
  }

  /** Whether a read is wanted, now or soon. */
  get isWaiting(): boolean {
    return this.#open.size > 0
  }

  get isDoubtful(): boolean {
    return this.#doubtfulSince !== undefined
  }

  /** Something may have been lost: until the next complete look into the store, streams not known are not trusted. */
  doubt(now: number): void {
    this.#doubtfulSince ??= now
  }

  /** A look into the store that began then is complete: {@link hearHead} was told all that moved. */
  sure(beganAt: number): void {
    this.#sureAt = beganAt
    if (this.#doubtfulSince !== undefined && this.#doubtfulSince <= beganAt) this.#doubtfulSince = undefined
  }

  /**
   * A hint came, from this node's own commits or from another node.
   * @param since when the first of those came who listen here; undefined: nobody does
   */
  hear(hint: Hint<Told>, now: number, since: number | undefined): Verdict<Told> {
    if (since === undefined) return this.#forget(hint.stream, now)
    const stream = this.#touch(hint.stream, now, since)
    if (stream.told === undefined) return this.#hearFirst(stream, hint, now)
    if (hint.sequence <= stream.told) return this.#hearLate(stream, hint, now)
    if (hint.after > stream.told) return this.#hearEarly(stream, hint, now)
    if (hint.told === null) return this.#want(hint.stream, stream, { from: stream.told, claim: hint.sequence, at: now })
    return { verdict: 'tell', hints: this.#advance(hint.stream, stream, hint as Hint<Told> & { told: Told }) }
  }

  /** The store itself says how far a stream is. */
  hearHead(name: string, sequence: number, now: number, since: number | undefined): Verdict<Told> {
    if (since === undefined) return this.#forget(name, now)
    const stream = this.#touch(name, now, since)
    const { told, from } = stream
    // Taken on trust when something was lost: what came before it may be what was lost.
    const isUnsure = told !== undefined && this.isDoubtful && stream.unsureSince >= this.#sureAt && from > 0
    if (told !== undefined && sequence <= told && !isUnsure) return { verdict: 'old' }
    stream.refutedFrom = Number.POSITIVE_INFINITY
    if (isUnsure) stream.unsureSince = Number.NEGATIVE_INFINITY
    const start = isUnsure ? Math.max(0, from - RECENT) : (told ?? Math.max(0, sequence - RECENT))
    return this.#want(name, stream, { from: start, claim: Math.max(sequence, told ?? 0), at: now })
  }

  /** Whether all of a stream up to a sequence was told, as far as it concerns anybody here. */
  hasTold(name: string, sequence: number): boolean {
    const stream = this.#open.get(name)
    if (!stream) return true
    const isRewound = Math.min(stream.readFrom, stream.reading?.from ?? stream.readFrom) < stream.from
    return stream.told !== undefined && stream.told >= sequence && !isRewound
  }

  /** The reads whose time has come, so many at most. Each has to be answered by {@link arrived} or {@link failed}. */
  due(now: number, limit = Number.POSITIVE_INFINITY): WantedRead[] {
    const reads: WantedRead[] = []
    for (const [name, stream] of this.#open) {
      if (reads.length >= limit) break
      if (stream.reading || stream.readAt === undefined || stream.readAt > now) continue
      stream.reading = { from: stream.readFrom, wanted: stream.wanted, least: stream.least }
      Object.assign(stream, NOTHING_WANTED)
      stream.nextReadAt = now + stream.pauseMs
      reads.push({ stream: name, after: stream.reading.from })
    }
    return reads
  }

  /**
   * A read came back: how far the reader is with its rows, and whether there are more. Undefined: the stream is closed
   * to everybody here.
   */
  arrived(
    name: string,
    result: { readonly sequence: number; readonly more: boolean } | undefined,
    now: number,
  ): ReadTold<Told> {
    const stream = this.#open.get(name)
    const reading = stream?.reading
    if (!stream || !reading) return NOTHING_TOLD
    stream.reading = undefined
    if (!result) {
      this.#pace(stream, false, now)
      this.#forget(name, now)
      return NOTHING_TOLD
    }
    const isRewind = stream.told !== undefined && reading.from < stream.from
    const before = isRewind ? reading.from : (stream.told ?? reading.from)
    const hasNews = result.sequence > before
    if (stream.told === undefined || isRewind) stream.from = reading.from
    // Going back, everything is told once more from there, in order.
    const goal = Math.max(reading.wanted, stream.told ?? 0)
    stream.told = isRewind && result.more ? result.sequence : Math.max(before, stream.told ?? 0, result.sequence)
    if (result.more) this.#want(name, stream, { from: stream.told, claim: goal, at: now })
    else if (reading.wanted > stream.told) this.#refute(stream, reading, now)
    this.#pace(stream, hasNews, now)
    const hints = this.#release(stream)
    this.#settle(name, stream)
    return { read: hasNews ? { after: before, sequence: result.sequence } : null, hints }
  }

  /** The read could not be made; it will be tried again. */
  failed(name: string, now: number): void {
    const stream = this.#open.get(name)
    const reading = stream?.reading
    if (!stream || !reading) return
    stream.reading = undefined
    this.#pace(stream, false, now)
    this.#want(name, stream, { from: reading.from, claim: reading.wanted, least: reading.least, at: now })
  }

  #hearFirst(stream: Stream<Told>, hint: Hint<Told>, now: number): Verdict<Told> {
    const isWaiting = stream.reading !== undefined || stream.readAt !== undefined
    if (!isWaiting && !this.isDoubtful && hint.told !== null) {
      stream.from = hint.after
      stream.unsureSince = now
      return { verdict: 'tell', hints: this.#advance(hint.stream, stream, hint as Hint<Told> & { told: Told }) }
    }
    this.#hold(stream, hint)
    const margin = this.isDoubtful ? RECENT : 0
    if (!isWaiting && margin === 0) stream.unsureSince = now
    const planned = Math.min(stream.readFrom, stream.reading?.from ?? Number.POSITIVE_INFINITY)
    const from = isWaiting && hint.after >= planned ? planned : Math.max(0, hint.after - margin)
    return this.#want(hint.stream, stream, { from, claim: hint.sequence, at: now })
  }

  /** Told already; unless it was overtaken by the very first one that was told here. */
  #hearLate(stream: Stream<Told>, hint: Hint<Told>, now: number): Verdict<Told> {
    const isOvertaken = hint.after < stream.from && stream.unsureSince >= this.#sureAt
    if (!isOvertaken || stream.from - hint.after > RECENT) return { verdict: 'old' }
    return this.#want(hint.stream, stream, { from: hint.after, claim: stream.told!, at: now })
  }

  #hearEarly(stream: Stream<Told>, hint: Hint<Told>, now: number): Verdict<Told> {
    if (hint.sequence >= stream.refutedFrom && now < stream.refutedUntil) return { verdict: 'refuted' }
    const isHeld = this.#hold(stream, hint)
    const at = isHeld ? now + GRACE_MS : now
    return this.#want(hint.stream, stream, { from: stream.told!, claim: hint.sequence, at })
  }

  #hold(stream: Stream<Told>, hint: Hint<Told>): boolean {
    stream.held ??= new Map()
    if (hint.told === null || stream.held.size >= MAX_HELD) return false
    stream.held.set(hint.after, hint)
    return true
  }

  /** Tells the next one, and then those that were early. */
  #advance(name: string, stream: Stream<Told>, hint: Hint<Told> & { readonly told: Told }) {
    stream.told = hint.sequence
    const hints = stream.held ? [hint, ...this.#release(stream)] : [hint]
    this.#settle(name, stream)
    return hints
  }

  /** Takes out what was early and is next now. */
  #release(stream: Stream<Told>): (Hint<Told> & { readonly told: Told })[] {
    const released: (Hint<Told> & { readonly told: Told })[] = []
    if (!stream.held) return released
    for (const hint of [...stream.held.values()].sort((a, b) => a.after - b.after)) {
      if (hint.after > stream.told!) break
      stream.held.delete(hint.after)
      if (hint.sequence <= stream.told!) continue
      stream.told = hint.sequence
      released.push(hint as Hint<Told> & { told: Told })
    }
    if (stream.held.size === 0) stream.held = undefined
    return released
  }

  #want(
    name: string,
    stream: Stream<Told>,
    of: { readonly from: number; readonly claim: number; readonly least?: number; readonly at: number },
  ): Verdict<Told> {
    if (!this.#open.has(name) && this.#open.size >= this.#maxWaiting) return { verdict: 'overloaded' }
    this.#open.set(name, stream)
    stream.readFrom = Math.min(stream.readFrom, of.from)
    stream.wanted = Math.max(stream.wanted, of.claim)
    stream.least = Math.min(stream.least, of.least ?? of.claim)
    stream.readAt = Math.max(Math.min(stream.readAt ?? of.at, of.at), stream.nextReadAt)
    return { verdict: 'wait' }
  }

  /** Takes back what is not wanted any more. */
  #settle(name: string, stream: Stream<Told>): void {
    if (stream.told! >= stream.refutedFrom) stream.refutedFrom = Number.POSITIVE_INFINITY
    const isRewindWanted = stream.readFrom < stream.from
    if (stream.readAt !== undefined && stream.wanted <= stream.told! && !isRewindWanted) {
      Object.assign(stream, NOTHING_WANTED)
    }
    // What lies before was told meanwhile: no need to read it again.
    if (stream.readAt !== undefined && !isRewindWanted) stream.readFrom = stream.told!
    if (this.#open.size > 0 && stream.readAt === undefined && !stream.reading) this.#open.delete(name)
  }

  #refute(stream: Stream<Told>, reading: { readonly wanted: number; readonly least: number }, now: number): void {
    const claim = reading.least > stream.told! ? reading.least : reading.wanted
    const isStill = now < stream.refutedUntil
    stream.refutedFrom = isStill ? Math.min(stream.refutedFrom, claim) : claim
    stream.refutedUntil = now + REFUTED_MS
    for (const hint of [...(stream.held?.values() ?? [])]) {
      if (hint.sequence >= claim && hint.sequence <= reading.wanted) stream.held?.delete(hint.after)
    }
  }

  /** Reads that find something may go on at their usual pace, others slow down. */
  #pace(stream: Stream<Told>, hasNews: boolean, now: number): void {
    stream.pauseMs = hasNews ? READ_EVERY_MS : Math.min(MAX_PAUSE_MS, stream.pauseMs * 2)
    stream.nextReadAt = Math.max(stream.nextReadAt, hasNews ? 0 : now + stream.pauseMs)
    if (stream.readAt !== undefined) stream.readAt = Math.max(stream.readAt, stream.nextReadAt)
  }

  /** Nobody listens. How often it may be read is remembered, or a liar could have it forgotten. */
  #forget(name: string, now: number): Verdict<Told> {
    const stream = this.#streams.get(name)
    if (!stream) return { verdict: 'not-ours' }
    Object.assign(stream, NOTHING_WANTED)
    stream.told = undefined
    stream.held = undefined
    stream.from = Number.POSITIVE_INFINITY
    if (stream.reading) return { verdict: 'not-ours' }
    this.#open.delete(name)
    if (stream.nextReadAt <= now) this.#streams.delete(name)
    return { verdict: 'not-ours' }
  }

  #touch(name: string, now: number, since: number): Stream<Told> {
    let known = this.#streams.get(name)
    if (since > (known?.heardAt ?? now)) {
      this.#forget(name, now)
      known = this.#streams.get(name)
    }
    if (!known && this.#streams.size >= this.#capacity) this.#evict(now)
    const stream = known ?? newStream<Told>()
    stream.heardAt = now
    if (now < stream.placedAt + PLACED_EVERY_MS) return stream
    stream.placedAt = now
    this.#streams.delete(name)
    this.#streams.set(name, stream)
    return stream
  }

  /** Not those that are being read or were a moment ago, as long as these are not too many as well. */
  #evict(now: number): void {
    const isTooMany = this.#streams.size >= this.#capacity + this.#maxWaiting
    for (const [name, stream] of this.#streams) {
      if (this.#open.has(name) || (stream.nextReadAt > now && !isTooMany)) continue
      this.#streams.delete(name)
      return
    }
  }
}

const NOTHING_WANTED = {
  wanted: 0,
  least: Number.POSITIVE_INFINITY,
  readFrom: Number.POSITIVE_INFINITY,
  readAt: undefined,
}

const NOTHING_TOLD = { read: null, hints: [] }

function newStream<Told>(): Stream<Told> {
  return {
    heardAt: Number.NEGATIVE_INFINITY,
    placedAt: Number.NEGATIVE_INFINITY,
    told: undefined,
    from: Number.POSITIVE_INFINITY,
    unsureSince: Number.NEGATIVE_INFINITY,
    held: undefined,
    ...NOTHING_WANTED,
    reading: undefined,
    nextReadAt: 0,
    pauseMs: READ_EVERY_MS,
    refutedFrom: Number.POSITIVE_INFINITY,
    refutedUntil: Number.NEGATIVE_INFINITY,
  }
}

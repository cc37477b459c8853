import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BatchNumbers } from './batch-numbers.ts'
import { type Hint, HintReader, READ_EVERY_MS } from './hint-reader.ts'

/**
 * A node in a storm: two others commit to three streams, what they say of it is dropped, doubled, reordered and late, the
 * store fails for a while, listeners come and go. Once the storm is over, every listener must have been told everything
 * since it came, in order and without a hole.
 *
 * These listeners never help themselves: one that is told of something beyond a gap lets it pass.
 */
const STREAMS = ['calm', 'busy', 'late']
const LOSS_GRACE_MS = 300
const BEAT_MS = 2_000
const HEALTHY_POLL_MS = 6_000
const ROWS_PER_READ = 4

interface Told {
  readonly rows: readonly number[]
}
type Said = { readonly publisher: string; readonly number: number } & (
  | { readonly hints: readonly Hint<Told>[] }
  | { readonly isBeat: true }
)

class Storm {
  now = 0
  readonly #heads = new Map(STREAMS.map((stream) => [stream, 0]))
  /** Where the last look into the store left off. */
  #polled: ReadonlyMap<string, number> = new Map(this.#heads)
  readonly #numbers = new Map<string, number>()
  readonly #reader: HintReader<Told>
  readonly #heard = new BatchNumbers()
  readonly #listeners = new Map<string, { have: number; isThere: boolean; readonly since: number }[]>(
    STREAMS.map((stream) => [stream, []]),
  )
  #agenda: { readonly at: number; readonly order: number; readonly run: () => void }[] = []
  #order = 0
  #pollAt = HEALTHY_POLL_MS
  #isPolling = false
  #isStoreAway = false
  readonly #readsAt = new Map<string, number[]>()

  constructor(capacity: number) {
    this.#reader = new HintReader<Told>({ capacity })
    for (const publisher of ['a', 'b']) this.#beat(publisher)
  }

  #beat(publisher: string): void {
    this.#at(this.now + BEAT_MS, () => {
      this.#send({ publisher, number: this.#numbers.get(publisher) ?? 0, isBeat: true }, [1])
      this.#beat(publisher)
    })
  }

  /** @param ways how late each copy of the hint arrives; none: it is lost */
  commit(publisher: string, stream: string, changes: number, hasRows: boolean, ways: readonly number[]): void {
    const after = this.#heads.get(stream)!
    const sequence = after + changes
    this.#heads.set(stream, sequence)
    const rows = Array.from({ length: changes }, (_, i) => after + 1 + i)
    const number = (this.#numbers.get(publisher) ?? 0) + 1
    this.#numbers.set(publisher, number)
    this.#send({ publisher, number, hints: [{ stream, after, sequence, told: hasRows ? { rows } : null }] }, ways)
  }

  listen(stream: string): void {
    this.#listeners.get(stream)!.push({ have: this.#heads.get(stream)!, isThere: true, since: this.now })
  }

  leave(stream: string): void {
    const listener = this.#listeners.get(stream)!.find(({ isThere }) => isThere)
    if (listener) listener.isThere = false
  }

  storeIsAway(isAway: boolean): void {
    this.#isStoreAway = isAway
  }

  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 10) {
      for (;;) {
        const next = this.#agenda.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at || a.order - b.order)[0]
        if (!next) break
        this.#agenda = this.#agenda.filter((one) => one !== next)
        next.run()
      }
      for (const read of this.#reader.due(this.now)) this.#read(read.stream, read.after)
      if (this.now >= this.#pollAt && !this.#isPolling) this.#poll()
    }
  }

  check(): void {
    for (const [stream, listeners] of this.#listeners) {
      for (const { have, isThere } of listeners)
        if (isThere) expect([stream, have]).toEqual([stream, this.#heads.get(stream)])
    }
    for (const times of this.#readsAt.values()) {
      for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(READ_EVERY_MS)
    }
    expect(this.#reader.isWaiting).toBe(false)
  }

  #at(at: number, run: () => void): void {
    this.#agenda.push({ at, order: this.#order++, run })
  }

  #send(said: Said, ways: readonly number[]): void {
    for (const late of ways) this.#at(this.now + late, () => this.#hear(said))
  }

  #hear(said: Said): void {
    const life = { node: said.publisher, incarnation: 1 }
    const numbered =
      'isBeat' in said
        ? this.#heard.headIs(life, 'changes.0', said.number)
        : this.#heard.hear(life, 'changes.0', said.number)
    if (numbered === 'missing') {
      this.#reader.doubt(this.now)
      this.#pollAt = Math.min(this.#pollAt, this.now + LOSS_GRACE_MS)
    }
    if ('isBeat' in said || numbered === 'repeat') return
    for (const hint of said.hints) this.#tell(hint.stream, this.#reader.hear(hint, this.now, this.#since(hint.stream)))
  }

  #since(stream: string): number | undefined {
    const there = this.#listeners.get(stream)!.filter(({ isThere }) => isThere)
    return there.length > 0 ? Math.min(...there.map(({ since }) => since)) : undefined
  }

  #tell(stream: string, verdict: ReturnType<HintReader<Told>['hear']>): void {
    if (verdict.verdict !== 'tell') return
    for (const { after, sequence, told } of verdict.hints) this.#toListeners(stream, after, sequence, told.rows)
  }

  #toListeners(stream: string, after: number, sequence: number, rows: readonly number[]): void {
    expect(sequence).toBeLessThanOrEqual(this.#heads.get(stream)!)
    expect(rows).toEqual(Array.from({ length: sequence - after }, (_, i) => after + 1 + i))
    for (const listener of this.#listeners.get(stream)!) {
      if (listener.isThere && after <= listener.have) listener.have = Math.max(listener.have, sequence)
    }
  }

  #read(stream: string, after: number): void {
    this.#readsAt.set(stream, [...(this.#readsAt.get(stream) ?? []), this.now])
    const isAway = this.#isStoreAway
    const head = this.#heads.get(stream)!
    this.#at(this.now + 20, () => {
      if (isAway) return this.#reader.failed(stream, this.now)
      const sequence = Math.max(after, Math.min(head, after + ROWS_PER_READ))
      const { read, hints } = this.#reader.arrived(stream, { sequence, more: sequence < head }, this.now)
      if (read) {
        const rows = Array.from({ length: read.sequence - read.after }, (_, i) => read.after + 1 + i)
        this.#toListeners(stream, read.after, read.sequence, rows)
      }
      this.#tell(stream, { verdict: 'tell', hints })
    })
  }

  #poll(): void {
    this.#isPolling = true
    const [beganAt, isAway, heads] = [this.now, this.#isStoreAway, new Map(this.#heads)]
    this.#at(this.now + 30, () => {
      this.#isPolling = false
      this.#pollAt = this.now + (isAway ? 1_000 : HEALTHY_POLL_MS)
      if (isAway) return
      for (const [stream, head] of heads) {
        if (head > this.#polled.get(stream)!)
          this.#tell(stream, this.#reader.hearHead(stream, head, this.now, this.#since(stream)))
      }
      this.#polled = heads
      this.#reader.sure(beganAt)
    })
  }
}

const stream = fc.constantFrom(...STREAMS)
const late = fc.oneof(
  { weight: 4, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2_500 }) },
)
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('commit' as const),
      publisher: fc.constantFrom('a', 'b'),
      stream,
      changes: fc.integer({ min: 1, max: 2 }),
      hasRows: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      // Lost, heard, heard twice.
      ways: fc.oneof(
        { weight: 3, arbitrary: fc.tuple(late) },
        { weight: 1, arbitrary: fc.array(late, { minLength: 0, maxLength: 2 }) },
      ),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 10, max: 1_500 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('listen' as const), stream }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), stream }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('store' as const), isAway: fc.boolean() }) },
)
/** Short stories as well: in a long one, what goes wrong first is often mended by what goes wrong next. */
const steps = fc.oneof(
  { weight: 2, arbitrary: fc.array(step, { minLength: 2, maxLength: 8 }) },
  { weight: 1, arbitrary: fc.array(step, { maxLength: 60 }) },
)

test('32 whatever becomes of hints, every listener is told everything in order and without a hole', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 2, 100), (steps, capacity) => {
      const storm = new Storm(capacity)
      for (const stream of STREAMS) storm.listen(stream)
      for (const one of steps) {
        if (one.type === 'commit') storm.commit(one.publisher, one.stream, one.changes, one.hasRows, one.ways)
        else if (one.type === 'pass') storm.pass(one.ms)
        else if (one.type === 'listen') storm.listen(one.stream)
        else if (one.type === 'leave') storm.leave(one.stream)
        else storm.storeIsAway(one.isAway)
      }
      storm.storeIsAway(false)
      storm.pass(20_000)
      storm.check()
    }),
    { numRuns: 1_000, seed: 4 },
  )
})

import { describe, expect, it, test } from 'vitest'
import { GRACE_MS, type Hint, HintReader, MAX_PAUSE_MS, READ_EVERY_MS, RECENT, REFUTED_MS } from './hint-reader.ts'

const hint = (after: number, sequence: number, told: string | null = `${after}-${sequence}`): Hint<string> => ({
  ...{ stream: 's', after, sequence, told },
})
const tell = (...hints: Hint<string>[]) => ({ verdict: 'tell', hints })
const WAIT = { verdict: 'wait' }
const OLD = { verdict: 'old' }

/** A reader to which a stream was told up to 10. */
function reader() {
  const one = new HintReader<string>()
  expect(one.hear(hint(9, 10), 0, 0)).toEqual(tell(hint(9, 10)))
  return one
}

/** Every way in which a hint can meet what was told before: verdict, and the read that follows. */
describe.each<[string, { told: boolean; doubt?: boolean }, Hint<string>, boolean, object, number | null]>([
  ['nothing was told, rows', { told: false }, hint(4, 5), true, tell(hint(4, 5)), null],
  ['nothing was told, no rows', { told: false }, hint(4, 5, null), true, WAIT, 4],
  ['nothing was told, in doubt', { told: false, doubt: true }, hint(4, 5), true, WAIT, 0],
  ['nothing was told, in doubt, far on', { told: false, doubt: true }, hint(500, 501), true, WAIT, 500 - RECENT],
  ['nothing was told, nobody listens', { told: false }, hint(4, 5), false, { verdict: 'not-ours' }, null],
  ['the next, rows', { told: true }, hint(10, 11), true, tell(hint(10, 11)), null],
  ['the next, rows, in doubt', { told: true, doubt: true }, hint(10, 11), true, tell(hint(10, 11)), null],
  ['the next, no rows', { told: true }, hint(10, 11, null), true, WAIT, 10],
  ['the next and some of the last', { told: true }, hint(9, 12), true, tell(hint(9, 12)), null],
  ['the last again', { told: true }, hint(9, 10), true, OLD, null],
  ['the last again, no rows', { told: true }, hint(9, 10, null), true, OLD, null],
  ['the one before the first', { told: true }, hint(8, 9), true, WAIT, 8],
  ['one long before the first', { told: true }, hint(0, 1), true, WAIT, 0],
  ['a gap, rows', { told: true }, hint(12, 13), true, WAIT, 10],
  ['a gap, no rows', { told: true }, hint(12, 13, null), true, WAIT, 10],
  ['the next, nobody listens', { told: true }, hint(10, 11), false, { verdict: 'not-ours' }, null],
])('%s', (_, { told, doubt }, heard, isOurs, verdict, readAfter) => {
  test(`is answered by ${JSON.stringify(verdict)}, and the store is read ${readAfter === null ? 'not at all' : `after ${readAfter}`}`, () => {
    const one = told ? reader() : new HintReader<string>()
    if (doubt) one.doubt(1)
    expect(one.hear(heard, 1_000, isOurs ? 0 : undefined)).toEqual(verdict)
    const reads = one.due(1_000 + GRACE_MS)
    expect(reads).toEqual(readAfter === null ? [] : [{ stream: 's', after: readAfter }])
  })
})

/** What the store itself says is believed. */
describe.each<[string, { told: boolean; doubt?: boolean }, number, boolean, object, number | null]>([
  ['nothing was told', { told: false }, 5, true, WAIT, 0],
  ['nothing was told, far on', { told: false }, 500, true, WAIT, 500 - RECENT],
  ['all was told', { told: true }, 10, true, OLD, null],
  ['more than that was told', { told: true }, 9, true, OLD, null],
  ['something was not told', { told: true }, 14, true, WAIT, 10],
  ['all was told, but the first on trust, in doubt', { told: true, doubt: true }, 10, true, WAIT, 0],
  ['something was not told, the first on trust, in doubt', { told: true, doubt: true }, 14, true, WAIT, 0],
  ['nobody listens', { told: true }, 14, false, { verdict: 'not-ours' }, null],
])('the store says where it is: %s', (_, { told, doubt }, head, isOurs, verdict, readAfter) => {
  test(`is answered by ${JSON.stringify(verdict)}, and the store is read ${readAfter === null ? 'not at all' : `after ${readAfter}`}`, () => {
    const one = told ? reader() : new HintReader<string>()
    if (doubt) one.doubt(1)
    expect(one.hearHead('s', head, 1_000, isOurs ? 0 : undefined)).toEqual(verdict)
    expect(one.due(1_000)).toEqual(readAfter === null ? [] : [{ stream: 's', after: readAfter }])
  })
})

describe('a gap', () => {
  it('is waited on for a moment: what was overtaken comes, and all is told in order without a read', () => {
    const one = reader()
    expect(one.hear(hint(12, 13), 1_000, 0)).toEqual(WAIT)
    expect(one.hear(hint(11, 12), 1_005, 0)).toEqual(WAIT)
    expect(one.due(1_010)).toEqual([])
    expect(one.hear(hint(10, 11), 1_010, 0)).toEqual(tell(hint(10, 11), hint(11, 12), hint(12, 13)))
    expect(one.due(9_999)).toEqual([])
    expect(one.isWaiting).toBe(false)
  })

  it('is read if nothing comes, and then told on from there', () => {
    const one = reader()
    one.hear(hint(12, 13), 1_000, 0)
    expect(one.due(1_000 + GRACE_MS - 1)).toEqual([])
    expect(one.due(1_000 + GRACE_MS)).toEqual([{ stream: 's', after: 10 }])
    // Asked while it is being read, it is not read once more.
    expect(one.due(1_000 + GRACE_MS)).toEqual([])
    expect(one.arrived('s', { sequence: 12, more: true }, 1_050)).toEqual({
      read: { after: 10, sequence: 12 },
      hints: [hint(12, 13)],
    })
    expect(one.hear(hint(13, 14), 1_060, 0)).toEqual(tell(hint(13, 14)))
    expect(one.isWaiting).toBe(false)
  })

  it('that closes while it is being read is not told twice', () => {
    const one = reader()
    one.hear(hint(11, 12), 1_000, 0)
    one.due(1_100)
    expect(one.hear(hint(10, 11), 1_101, 0)).toEqual(tell(hint(10, 11), hint(11, 12)))
    expect(one.arrived('s', { sequence: 14, more: false }, 1_110)).toEqual({
      read: { after: 12, sequence: 14 },
      hints: [],
    })
    expect(one.hear(hint(13, 14), 1_111, 0)).toEqual(OLD)
  })

  it('that is long is read page by page, each at its time', () => {
    const one = reader()
    one.hear(hint(1_000, 1_001, null), 1_000, 0)
    expect(one.due(1_000)).toEqual([{ stream: 's', after: 10 }])
    expect(one.arrived('s', { sequence: 500, more: true }, 1_020).read).toEqual({ after: 10, sequence: 500 })
    expect(one.due(1_000 + READ_EVERY_MS - 1)).toEqual([])
    expect(one.due(1_000 + READ_EVERY_MS)).toEqual([{ stream: 's', after: 500 }])
    expect(one.arrived('s', { sequence: 1_001, more: false }, 1_120).read).toEqual({ after: 500, sequence: 1_001 })
    expect(one.isWaiting).toBe(false)
  })
})

describe('the first of a stream', () => {
  it('was taken on trust: an overtaken one that comes later makes both be told again, in order', () => {
    const one = reader()
    expect(one.hear(hint(7, 9), 1_000, 0)).toEqual(WAIT)
    expect(one.due(1_000)).toEqual([{ stream: 's', after: 7 }])
    expect(one.arrived('s', { sequence: 10, more: false }, 1_010).read).toEqual({ after: 7, sequence: 10 })
    expect(one.hear(hint(7, 9), 1_020, 0)).toEqual(OLD)
  })

  it('is beyond doubt once the store was looked at: what comes later than that is old', () => {
    const one = reader()
    one.sure(500)
    expect(one.hear(hint(7, 9), 1_000, 0)).toEqual(OLD)
  })

  it('going back, what comes next waits until it is its turn', () => {
    const one = reader()
    one.hear(hint(7, 9), 1_000, 0)
    one.due(1_000)
    expect(one.arrived('s', { sequence: 8, more: true }, 1_010).read).toEqual({ after: 7, sequence: 8 })
    expect(one.hear(hint(10, 11), 1_020, 0)).toEqual(WAIT)
    expect(one.due(1_100)).toEqual([{ stream: 's', after: 8 }])
    expect(one.arrived('s', { sequence: 10, more: true }, 1_110)).toEqual({
      read: { after: 8, sequence: 10 },
      hints: [hint(10, 11)],
    })
  })
})

describe('doubt', () => {
  it('is over when a look into the store that began after it is complete', () => {
    const one = new HintReader<string>()
    one.doubt(1_000)
    one.sure(900)
    expect(one.isDoubtful).toBe(true)
    one.doubt(2_000)
    one.sure(1_500)
    expect(one.isDoubtful).toBe(false)
    expect(one.hear(hint(4, 5), 3_000, 0)).toEqual(tell(hint(4, 5)))
  })
})

describe('a store that is away', () => {
  it('is asked again after ever longer pauses, and nothing is forgotten', () => {
    const one = reader()
    one.hear(hint(12, 13), 1_000, 0)
    let now = 1_000
    const askedAt: number[] = []
    while (now < 30_000) {
      now += 10
      for (const { after } of one.due(now)) {
        expect(after).toBe(10)
        askedAt.push(now)
        one.failed('s', now)
      }
    }
    const pauses = askedAt.slice(1).map((at, i) => at - askedAt[i]!)
    expect(pauses).toEqual([200, 400, 800, 1_600, 3_200, ...pauses.slice(5)])
    expect(Math.max(...pauses)).toBe(MAX_PAUSE_MS)
    one.due(now + MAX_PAUSE_MS)
    expect(one.arrived('s', { sequence: 12, more: true }, now).hints).toEqual([hint(12, 13)])
  })
})

describe('33 hostile hints', () => {
  /** Asks the reader as often as it can, and answers each read from a store that is at 10. */
  function reads(one: HintReader<string>, fromMs: number, toMs: number, each: (now: number) => void): number[] {
    const at: number[] = []
    for (let now = fromMs; now < toMs; now++) {
      each(now)
      for (const { stream } of one.due(now)) {
        at.push(now)
        one.arrived(stream, { sequence: 10, more: false }, now)
      }
    }
    return at
  }
  const closest = (times: number[]) => Math.min(...times.slice(1).map((at, i) => at - times[i]!))

  it('a sequence from the future costs one read, and is remembered', () => {
    const one = reader()
    const times = reads(one, 1_000, 1_000 + REFUTED_MS - 100, (now) => one.hear(hint(1e9, 1e9 + 1, null), now, 0))
    expect(times).toHaveLength(1)
    expect(one.hear(hint(2e9, 2e9 + 1), 2_000, 0)).toEqual({ verdict: 'refuted' })
    // What is true goes on.
    expect(one.hear(hint(10, 11), 2_001, 0)).toEqual(tell(hint(10, 11)))
  })

  it('always another sequence from the future: reads become rare, and are never closer than they may be', () => {
    const one = reader()
    let claim = 1e9
    const times = reads(one, 1_000, 61_000, (now) => {
      one.hear(hint(claim, claim + 1), now, 0)
      claim -= 2
    })
    expect(times.length).toBeLessThan(20)
    expect(closest(times)).toBeGreaterThanOrEqual(READ_EVERY_MS)
  })

  it('listeners that come and go between lies do not bring the reads closer', () => {
    const one = reader()
    const times = reads(one, 1_000, 11_000, (now) =>
      one.hear(hint(now * 100, now * 100 + 1, null), now, now % 2 === 0 ? 0 : undefined),
    )
    expect(closest(times)).toBeGreaterThanOrEqual(READ_EVERY_MS)
  })

  it('a stream that is closed to all listeners, or is none, is asked for and forgotten', () => {
    const one = new HintReader<string>()
    let count = 0
    for (let now = 0; now < 10_000; now++) {
      one.hear(hint(0, 1, null), now, 0)
      for (const { stream } of one.due(now)) {
        count += 1
        one.arrived(stream, undefined, now)
      }
    }
    expect(count).toBeLessThan(12)
  })

  it('ever more streams fill neither memory nor the queue of reads', () => {
    const one = new HintReader<string>({ capacity: 100, maxWaiting: 10 })
    const verdicts = new Set<string>()
    for (let i = 0; i < 1_000; i++) verdicts.add(one.hear({ ...hint(5, 6, null), stream: `s${i}` }, i, 0).verdict)
    expect([...verdicts]).toEqual(['wait', 'overloaded'])
    expect(one.due(2_000)).toHaveLength(10)
    expect(one.size).toBeLessThanOrEqual(110)
  })

  it('hints that wait are few, however many are early', () => {
    const one = reader()
    for (let i = 0; i < 10_000; i++) one.hear(hint(20 + i, 21 + i), 1_000, 0)
    one.due(2_000)
    const { hints } = one.arrived('s', { sequence: 20, more: true }, 2_000)
    expect(hints.length).toBeLessThanOrEqual(64)
  })
})

it('the longest quiet stream is forgotten first, one that waits for a read is not', () => {
  const one = new HintReader<string>({ capacity: 2 })
  const say = (stream: string, after: number) => one.hear({ ...hint(after, after + 1), stream }, 1_000, 0).verdict
  expect([say('a', 0), say('b', 0), say('a', 5), say('c', 0)]).toEqual(['tell', 'tell', 'wait', 'tell'])
  expect(say('a', 1)).toBe('tell')
  expect(say('b', 9)).toBe('tell')
})

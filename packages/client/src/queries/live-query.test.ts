import { beforeEach, describe, expect, it } from 'vitest'
import { applyListChanges } from './list-changes.ts'
import { createLiveQuery, type LiveQuery, type Loaded, type QueryUpdate } from './live-query.ts'

interface Item {
  readonly id: string
  readonly text: string
}

let stored: Item[]
let loads: { window: number; answer: () => void; fail: (error: unknown) => void }[]
let errors: unknown[]
let isManual: boolean

beforeEach(() => {
  stored = []
  loads = []
  errors = []
  isManual = false
})

describe('a live query', () => {
  it('QCTL-1 has an empty snapshot until it is ready, then what there is', async () => {
    stored = items('a', 'b')
    const { query } = open()
    expect(query.snapshot()).toEqual([])
    expect(query.isReady).toBe(false)
    await query.ready
    expect(query.isReady).toBe(true)
    expect(query.snapshot()).toEqual(items('a', 'b'))
    expect(query.total).toBe(2)
  })

  it('QCTL-12 keeps the same array and the same items until they truly change', async () => {
    stored = items('a', 'b')
    const { query, invalidate } = open()
    await query.ready
    const before = query.snapshot()
    stored = items('a', 'b')
    invalidate()
    await settled()
    expect(query.snapshot()).toBe(before)
    stored = items('a', 'c')
    invalidate()
    await settled()
    expect(query.snapshot()).not.toBe(before)
    expect(query.snapshot()[0]).toBe(before[0])
  })

  it('QCTL-1 tells listeners what leads from the previous snapshot to the next', async () => {
    stored = items('a', 'b')
    const { query, invalidate } = open()
    const updates: QueryUpdate<Item>[] = []
    let followed: readonly Item[] = query.snapshot()
    query.subscribe((update) => {
      updates.push(update)
      followed = applyListChanges(followed, update.changes)
      expect(followed).toEqual(update.snapshot)
      expect(update.snapshot).toBe(query.snapshot())
    })
    await query.ready
    stored = [
      { id: 'c', text: 'c' },
      { id: 'a', text: 'new' },
    ]
    invalidate()
    await settled()
    expect(updates.map(({ changes }) => changes.map(({ type }) => type))).toEqual([
      ['insert', 'insert'],
      ['delete', 'insert', 'update'],
    ])
  })

  it('says that it is ready also when there is nothing', async () => {
    const { query } = open()
    const updates: QueryUpdate<Item>[] = []
    query.subscribe((update) => updates.push(update))
    await query.ready
    expect(updates).toEqual([{ snapshot: [], changes: [], total: 0, hasMore: false }])
  })

  it('is silent when nothing changed', async () => {
    stored = items('a')
    const { query, invalidate } = open()
    await query.ready
    let calls = 0
    query.subscribe(() => calls++)
    stored = items('a')
    invalidate()
    await settled()
    expect(calls).toBe(0)
  })

  it('tells when only the total is another', async () => {
    stored = items('a', 'b')
    const { query, invalidate } = open({ window: 2 })
    await query.ready
    const updates: QueryUpdate<Item>[] = []
    query.subscribe((update) => updates.push(update))
    stored = items('z', 'a', 'b')
    invalidate()
    await settled()
    expect(updates).toEqual([{ snapshot: items('a', 'b'), changes: [], total: 3, hasMore: true }])
  })

  it('looks once for whatever happens in one turn', async () => {
    const { query, invalidate } = open()
    await query.ready
    invalidate()
    invalidate()
    invalidate()
    await settled()
    expect(loads).toHaveLength(2)
  })

  it('throws away a look that was overtaken', async () => {
    isManual = true
    stored = items('a')
    const { query, invalidate } = open()
    await settled()
    invalidate()
    loads[0]!.answer()
    await settled()
    expect(query.isReady).toBe(false)
    stored = items('b')
    loads[1]!.answer()
    await query.ready
    expect(query.snapshot()).toEqual(items('b'))
  })

  it('gives out a look after a while though it is overtaken again and again', async () => {
    isManual = true
    stored = items('a')
    const { query, invalidate } = open()
    for (let i = 0; i < 3; i++) {
      await settled()
      invalidate()
      loads[i]!.answer()
    }
    await settled()
    expect(query.snapshot()).toEqual(items('a'))
    expect(loads).toHaveLength(4)
  })

  it('QCTL-5 shows its window and counts beyond it', async () => {
    stored = items('a', 'b', 'c', 'd')
    const { query } = open({ window: 2 })
    await query.ready
    expect(query.snapshot()).toEqual(items('c', 'd'))
    expect([query.total, query.hasMore, query.window]).toEqual([4, true, 2])
    await query.loadMore(1)
    expect(query.snapshot()).toEqual(items('b', 'c', 'd'))
    await query.setWindow(10)
    expect(query.snapshot()).toEqual(items('a', 'b', 'c', 'd'))
    expect([query.total, query.hasMore, query.window]).toEqual([4, false, 10])
    await query.setWindow(1)
    expect(query.snapshot()).toEqual(items('d'))
  })

  it('QCTL-5 a wider window waits for a look that knew of it', async () => {
    isManual = true
    stored = items('a', 'b')
    const { query } = open({ window: 1 })
    await settled()
    let isWide = false
    void query.setWindow(2).then(() => {
      isWide = true
    })
    loads[0]!.answer()
    await settled()
    expect(isWide).toBe(false)
    loads[1]!.answer()
    await settled()
    expect(isWide).toBe(true)
    expect(query.snapshot()).toEqual(items('a', 'b'))
  })

  it.each([0, -1, Number.NaN])('QCTL-5 a window of %s is an error', async (size) => {
    const { query } = open()
    await expect(query.setWindow(size)).rejects.toThrow(RangeError)
  })

  it('a listener that throws is reported and disturbs no other', async () => {
    stored = items('a')
    const { query } = open()
    const heard: number[] = []
    query.subscribe(() => heard.push(1))
    query.subscribe(() => {
      throw new Error('a bug of the app')
    })
    query.subscribe(() => heard.push(3))
    await query.ready
    expect(heard).toEqual([1, 3])
    expect(errors).toEqual([new Error('a bug of the app')])
    expect(query.snapshot()).toEqual(items('a'))
  })

  it('a listener may come twice and leave once', async () => {
    const { query, invalidate } = open()
    await query.ready
    let calls = 0
    const listener = () => calls++
    const leave = query.subscribe(listener)
    query.subscribe(listener)
    leave()
    leave()
    stored = items('a')
    invalidate()
    await settled()
    expect(calls).toBe(1)
  })

  it('a listener that another one took off is not called any more', async () => {
    stored = items('a')
    const { query } = open()
    let calls = 0
    query.subscribe(() => leave())
    const leave = query.subscribe(() => calls++)
    await query.ready
    expect(calls).toBe(0)
  })

  it('a look that fails is reported, keeps the snapshot, and the next one counts again', async () => {
    isManual = true
    const { query, invalidate } = open()
    await settled()
    loads[0]!.fail(new Error('disk'))
    await expect(query.ready).rejects.toThrow('disk')
    expect(errors).toEqual([new Error('disk')])
    stored = items('a')
    invalidate()
    await settled()
    loads[1]!.answer()
    await settled()
    expect(query.isReady).toBe(true)
    expect(query.snapshot()).toEqual(items('a'))
  })

  it('can be read as a series of snapshots, of which a slow reader gets the newest', async () => {
    stored = items('a')
    const { query, invalidate } = open()
    const series = query[Symbol.asyncIterator]()
    expect(await series.next()).toEqual({ done: false, value: items('a') })
    for (const text of ['b', 'c']) {
      stored = items('a', text)
      invalidate()
      await settled()
    }
    expect(await series.next()).toEqual({ done: false, value: items('a', 'c') })
    const next = series.next()
    stored = []
    invalidate()
    expect(await next).toEqual({ done: false, value: [] })
    const last = series.next()
    query.close()
    expect(await last).toEqual({ done: true, value: undefined })
  })

  it('closing ends everything that waits, may happen twice, and keeps the last snapshot', async () => {
    isManual = true
    const { query, invalidate } = open()
    const series = query[Symbol.asyncIterator]().next()
    const window = query.setWindow(5)
    let calls = 0
    query.subscribe(() => calls++)
    await settled()
    query.close()
    query.close()
    expect(closed).toBe(1)
    await Promise.all([query.ready, window])
    expect(await series).toEqual({ done: true, value: undefined })
    loads[0]!.answer()
    invalidate()
    await settled()
    await query.setWindow(3)
    expect(calls).toBe(0)
    expect(query.snapshot()).toEqual([])
    expect(loads).toHaveLength(1)
  })
})

let closed = 0

function open({ window = 100 } = {}): { query: LiveQuery<Item>; invalidate: () => void } {
  closed = 0
  return createLiveQuery<Item>({
    window,
    report: (error) => errors.push(error),
    onClose: () => {
      closed += 1
    },
    load: (size) =>
      new Promise<Loaded<Item>>((resolve, reject) => {
        const answer = () =>
          resolve({ items: stored.slice(-size), total: stored.length, hasMore: stored.length > size })
        loads.push({ window: size, answer, fail: reject })
        if (!isManual) answer()
      }),
  })
}

function items(...texts: string[]): Item[] {
  return texts.map((text) => ({ id: text, text }))
}

/** Until nothing more happens without the test: promises only, there are no timers here. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await null
}

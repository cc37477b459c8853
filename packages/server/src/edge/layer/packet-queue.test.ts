import { describe, expect, it } from 'vitest'
import { PacketQueue } from './packet-queue.ts'
import type { Packet } from './packets.ts'

const packet = (name: string): Packet => ({ type: 'change', body: { name } })

function queue() {
  const sent: { counter: number; timestamp: string; body: { name: string } }[] = []
  const failures: unknown[] = []
  const later: (() => void)[] = []
  const line = new PacketQueue({
    sendText: (text) => sent.push(JSON.parse(text)),
    now: () => 5_000,
    after: (_ms, callback) => later.push(callback),
    failed: (error) => failures.push(error),
  })
  return { line, sent, failures, later, names: () => sent.map(({ body }) => body.name) }
}

/** A promise resolved by hand. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('the packets of one socket', () => {
  it('LAY-30 what is ready is sent at once, numbered from 0', () => {
    const { line, sent } = queue()
    for (const name of ['a', 'b']) line.put((send) => send(packet(name)))
    expect(sent.map(({ counter }) => counter)).toEqual([0, 1])
    expect(sent[0]!.timestamp).toBe('1970-01-01T00:00:05.000Z')
    expect([line.lastCounter, line.isBehind]).toEqual([1, false])
  })

  it('LAY-32 whatever waits keeps its place before what came later', async () => {
    const { line, names } = queue()
    const [first, second] = [gate(), gate()]
    line.put(async (send) => {
      await first.opened
      send(packet('first'))
    })
    line.put((send) => send(packet('between')))
    line.put(async (send) => {
      await second.opened
      send(packet('second'))
    })
    line.put((send) => send(packet('last')))
    second.open()
    await second.opened
    expect([names(), line.isBehind]).toEqual([[], true])
    first.open()
    await expect.poll(names).toEqual(['first', 'between', 'second', 'last'])
    await expect.poll(() => line.isBehind).toBe(false)
  })

  it('LAY-38 a message that goes again at once after another went goes a little later, in line', async () => {
    const { line, names, later } = queue()
    const change = (operation: string, id: string): Packet => ({
      type: 'change',
      body: { name: `${operation} ${id}`, operation, object: { type: 'Message', id } },
    })
    line.put((send) => {
      send(change('delete', 'a'))
      send(change('create', 'b'))
      send(change('delete', 'b'))
      send(packet('next'))
    })
    expect(names()).toEqual(['delete a', 'create b', 'next'])
    const waiting = gate()
    line.put(async (send) => {
      await waiting.opened
      send(packet('before it'))
    })
    for (const call of later) call()
    waiting.open()
    await expect.poll(names).toEqual(['delete a', 'create b', 'next', 'before it', 'delete b'])
  })

  it('LAY-43 what it begins with comes before all that waited for that', async () => {
    const { line, names } = queue()
    const first = gate()
    line.hold()
    line.put((send) => send(packet('early')))
    expect([names(), line.isBehind]).toEqual([[], true])
    line.begin(() =>
      line.put(async (send) => {
        await first.opened
        send(packet('first'))
      }),
    )
    line.put((send) => send(packet('late')))
    first.open()
    await expect.poll(names).toEqual(['first', 'early', 'late'])
  })

  it('LAY-43 what is told again may bear the time it was asked from', () => {
    const { line, sent } = queue()
    line.put((send) => send(packet('old'), 1_000))
    expect(sent[0]!.timestamp).toBe('1970-01-01T00:00:01.000Z')
  })

  it('LAY-43 after something could not be had, nothing follows as if nothing were missing', async () => {
    const { line, names, failures } = queue()
    line.put(() => Promise.reject(new Error('no store')))
    line.put((send) => send(packet('later')))
    await expect.poll(() => failures.length).toBe(1)
    line.put((send) => send(packet('even later')))
    expect(names()).toEqual([])
  })

  it('LAY-45 more than can wait ends it', () => {
    const { line, failures } = queue()
    line.put(() => gate().opened)
    for (let i = 0; i < 10_001; i++) line.put((send) => send(packet(String(i))))
    expect(failures).toHaveLength(1)
  })

  it('LAY-45 nor can more wait for it to begin', () => {
    const { line, failures, names } = queue()
    line.hold()
    for (let i = 0; i < 10_001; i++) line.put((send) => send(packet(String(i))))
    expect(failures).toHaveLength(1)
    line.begin()
    expect(names()).toEqual([])
  })
})

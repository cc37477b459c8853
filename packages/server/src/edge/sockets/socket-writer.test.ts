import type { Duplex } from 'node:stream'
import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Flushing } from './flushing.ts'
import { SharedFrame } from './shared-frame.ts'
import { MAX_UNSENT_BYTES, SocketWriter } from './socket-writer.ts'
import { listFrame, textFrame, textOf } from './text-frame.ts'

/** A socket that takes what is written at once, or keeps it until it is let go, and copies nothing before. */
function socketOf(flushing = new Flushing(() => false)) {
  const taken: Buffer[] = []
  let writes = 0
  let release: (() => void) | undefined
  const state = { isStuck: false }
  const socket = new Writable({
    highWaterMark: 16_384,
    write(chunk: Buffer, _encoding, done) {
      writes++
      const take = () => {
        taken.push(Buffer.from(chunk))
        done()
      }
      if (state.isStuck) release = take
      else take()
    },
  }) as unknown as Duplex
  /** The memory that what was written lies in. */
  const memory = new Set<ArrayBufferLike>()
  const write = socket.write.bind(socket)
  socket.write = ((chunk: Buffer) => {
    memory.add(chunk.buffer)
    return write(chunk)
  }) as typeof socket.write
  const heard: string[] = []
  const peer = { tooSlow: () => heard.push('too slow'), notWritable: (error: unknown) => heard.push(String(error)) }
  return {
    writer: new SocketWriter(socket, peer, flushing),
    state,
    heard,
    memory,
    letGo: () => release?.(),
    bytes: () => Buffer.concat(taken),
    writes: () => writes,
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const framesOf = (...texts: string[]) => Buffer.concat(texts.map(textFrame))
const listOf = (...items: string[]) => ({ head: '', items: items.map((item) => Buffer.from(item)), tail: '' })

describe('what is written to sockets', () => {
  it('goes out once a turn, in order, in one write', async () => {
    const { writer, bytes, writes } = socketOf()
    writer.sendText('one')
    writer.sendFrame(new SharedFrame(() => 'two'))
    writer.sendText('three')
    expect(writes()).toBe(0)
    await turn()
    expect(writes()).toBe(1)
    expect(bytes()).toEqual(framesOf('one', 'two', 'three'))
  })

  it('a list goes out at once, after what was said before it', async () => {
    const { writer, bytes, writes } = socketOf()
    writer.sendText('one')
    writer.sendList(listOf('two'))
    expect(writes()).toBe(2)
    writer.sendText('three')
    await turn()
    expect(bytes()).toEqual(framesOf('one', 'two', 'three'))
    writer.stop()
    writer.sendList(listOf('four'))
    expect(bytes()).toEqual(framesOf('one', 'two', 'three'))
  })

  it('a list in parts is the frame that its text would be', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string({ unit: 'grapheme' })), fc.nat(3), (head, items, times) => {
        const long = items.map((item) => item.repeat(20 ** times))
        const bytes = long.map((item) => Buffer.from(item))
        const text = `${head}${long.join(',')}]`
        const frame = listFrame({ head, items: bytes, tail: ']' }, Buffer.alloc(2_000))
        expect(frame.equals(textFrame(text))).toBe(true)
        expect(textOf(frame)).toBe(text)
      }),
      { numRuns: 200 },
    )
  })

  it('is what each frame would be by itself, of any text and length', async () => {
    const lengths = fc.oneof(
      fc.nat(200),
      fc.integer({ min: 21_000, max: 23_000 }),
      fc.integer({ min: 65_500, max: 65_600 }),
    )
    const text = fc
      .tuple(lengths, fc.constantFrom('a', 'é', '€', '😀'))
      .map(([length, c]) => c.repeat(length / c.length))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, fc.boolean()), { minLength: 1, maxLength: 4 }), async (messages) => {
        const { writer, bytes } = socketOf()
        for (const [one, isShared] of messages) {
          if (isShared) writer.sendFrame(new SharedFrame(() => one))
          else writer.sendText(one)
        }
        await turn()
        expect(bytes().equals(framesOf(...messages.map(([one]) => one)))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('is put into words once for all who get it, and for those alone', async () => {
    let written = 0
    const frame = new SharedFrame(() => `said ${++written} times`)
    const other = new SharedFrame(() => 'other')
    const sockets = [socketOf(), socketOf(), socketOf(), socketOf()]
    for (const { writer } of sockets.slice(0, 3)) writer.sendFrame(frame)
    sockets[2]!.writer.sendFrame(other)
    sockets[3]!.writer.sendFrame(other)
    await turn()
    expect(sockets.map(({ bytes }) => bytes())).toEqual([
      framesOf('said 1 times'),
      framesOf('said 1 times'),
      framesOf('said 1 times', 'other'),
      framesOf('other'),
    ])
  })

  it('stays as it was for a peer that takes it late', async () => {
    const late = socketOf()
    const quick = socketOf()
    late.state.isStuck = true
    late.writer.sendText('for the late one')
    quick.writer.sendText('for the quick one')
    await turn()
    quick.writer.sendText('and more for the quick one, which would lie over what the other waits for')
    await turn()
    late.letGo()
    expect(late.bytes()).toEqual(framesOf('for the late one'))
  })

  it('is a list as it was when it was sent, for a peer that takes it late too, and whatever becomes of its items', () => {
    const late = socketOf()
    const quick = socketOf()
    late.state.isStuck = true
    const list = listOf('one', 'two')
    late.writer.sendList(list)
    for (const item of list.items) item.fill('x')
    quick.writer.sendList(listOf('three and four'))
    late.letGo()
    expect(late.bytes()).toEqual(framesOf('one,two'))
    expect(quick.bytes()).toEqual(framesOf('three and four'))
  })

  it.each([
    ['texts', (writer: SocketWriter) => writer.sendText('x'.repeat(60_000))],
    ['frames', (writer: SocketWriter) => writer.sendFrame(new SharedFrame(() => 'x'.repeat(60_000)))],
    ['lists', (writer: SocketWriter) => writer.sendList(listOf('x'.repeat(60_000)))],
  ])('is bounded: a peer that is too slow for %s is told once and hears nothing more', async (_what, send) => {
    const { writer, state, heard, letGo, bytes } = socketOf()
    state.isStuck = true
    for (let i = 0; i < 30; i++) {
      send(writer)
      await turn()
    }
    expect(heard).toEqual(['too slow'])
    expect(writer.unsentBytes).toBeLessThanOrEqual(MAX_UNSENT_BYTES + 60_010)
    const before = bytes().length
    state.isStuck = false
    letGo()
    await turn()
    expect(bytes().length - before).toBeLessThanOrEqual(MAX_UNSENT_BYTES + 60_010)
  })

  it.each([
    ['a text', (writer: SocketWriter, text: string) => writer.sendText(text)],
    ['a frame', (writer: SocketWriter, text: string) => writer.sendFrame(new SharedFrame(() => text))],
  ])('may be larger than that, if it is %s for a peer that has taken everything so far', async (_what, send) => {
    const { writer, heard, bytes } = socketOf()
    const page = 'x'.repeat(MAX_UNSENT_BYTES * 2)
    for (let i = 0; i < 2; i++) {
      send(writer, page)
      await turn()
    }
    expect(heard).toEqual([])
    expect(bytes().equals(framesOf(page, page))).toBe(true)
  })

  it.each([
    ['texts', (writer: SocketWriter, text: string) => writer.sendText(text)],
    ['lists', (writer: SocketWriter, text: string) => writer.sendList(listOf(text))],
  ])('a peer that reads slowly holds on to no more than the %s that wait for it', async (_what, send) => {
    const { writer, state, memory } = socketOf()
    state.isStuck = true
    for (let i = 0; i < 500; i++) {
      send(writer, 'x'.repeat(1_000))
      await turn()
    }
    const held = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(writer.unsentBytes).toBeGreaterThan(400_000)
    // But for the first write, which did not know yet.
    expect(held).toBeLessThan(4 * writer.unsentBytes + 400_000)
  })

  it('frames that wait for many peers who read slowly are in memory once', async () => {
    const flushing = new Flushing(() => false)
    const sockets = Array.from({ length: 20 }, () => socketOf(flushing))
    for (const { state } of sockets) state.isStuck = true
    for (let i = 0; i < 10; i++) {
      const frame = new SharedFrame(() => `${i}`.repeat(20_000))
      for (const { writer } of sockets) writer.sendFrame(frame)
      await turn()
    }
    const memory = new Set(sockets.flatMap((socket) => [...socket.memory]))
    const held = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(sockets.every(({ writer }) => writer.unsentBytes === 10 * 20_004)).toBe(true)
    expect(held).toBeLessThan(400_000)
  })

  it('cuts a socket off whose frame cannot be put into words, and no other', async () => {
    const broken = new SharedFrame(() => {
      throw new Error('a bug')
    })
    const [one, two] = [socketOf(), socketOf()]
    one.writer.sendFrame(broken)
    two.writer.sendText('fine')
    await turn()
    one.writer.sendText('never heard')
    await turn()
    expect(one.heard).toEqual(['Error: a bug'])
    expect(one.bytes()).toHaveLength(0)
    expect(two.bytes()).toEqual(framesOf('fine'))
  })
})

import { type Duplex, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Flushing, MANY_SOCKETS, MAX_HELD_MS } from './flushing.ts'
import { SharedFrame } from './shared-frame.ts'
import { SocketWriter } from './socket-writer.ts'
import { textFrame } from './text-frame.ts'

const peer = { tooSlow: () => undefined, notWritable: () => undefined }
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A server with so many sockets, and what it is told of the batches under way. */
function serverOf(sockets: number) {
  const batches = { isMoreComing: true }
  const flushing = new Flushing(() => batches.isMoreComing)
  const lines = Array.from({ length: sockets }, () => {
    const taken: Buffer[] = []
    const socket = new Writable({
      write(chunk: Buffer, _encoding, done) {
        taken.push(Buffer.from(chunk))
        done()
      },
    })
    return { taken, writer: new SocketWriter(socket as unknown as Duplex, peer, flushing) }
  })
  return {
    batches,
    lines,
    tellAll(text: string) {
      const frame = new SharedFrame(() => text)
      for (const { writer } of lines) writer.sendFrame(frame)
    },
    writes: () => lines.map(({ taken }) => taken.length),
    bytes: () => lines.map(({ taken }) => Buffer.concat(taken)),
  }
}

const each = <T>(sockets: number, value: T) => Array.from({ length: sockets }, () => value)

describe('frames for many sockets', () => {
  // Only what a held frame waits for: turns of the event loop are real.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('wait for the batch under way, and go out with what it brings, in order and in one write for each', async () => {
    const server = serverOf(MANY_SOCKETS)
    server.tellAll('one')
    await turn()
    expect(server.writes()).toEqual(each(MANY_SOCKETS, 0))
    server.tellAll('two')
    await turn()
    expect(server.writes()).toEqual(each(MANY_SOCKETS, 1))
    expect(server.bytes()).toEqual(each(MANY_SOCKETS, Buffer.concat([textFrame('one'), textFrame('two')])))
  })

  it('do not wait for a second one, however many follow', async () => {
    const server = serverOf(MANY_SOCKETS)
    for (let n = 0; n < 6; n++) {
      server.tellAll('again')
      await turn()
    }
    expect(server.writes()).toEqual(each(MANY_SOCKETS, 3))
  })

  it('do not wait for a batch that takes long', async () => {
    const server = serverOf(MANY_SOCKETS)
    server.tellAll('one')
    await turn()
    vi.advanceTimersByTime(MAX_HELD_MS - 1)
    expect(server.writes()).toEqual(each(MANY_SOCKETS, 0))
    vi.advanceTimersByTime(1)
    expect(server.writes()).toEqual(each(MANY_SOCKETS, 1))
    // What comes after is as it was before.
    server.batches.isMoreComing = false
    server.tellAll('two')
    await turn()
    expect(server.bytes()).toEqual(each(MANY_SOCKETS, Buffer.concat([textFrame('one'), textFrame('two')])))
  })

  it('go out at the end of the turn if nothing is under way', async () => {
    const server = serverOf(MANY_SOCKETS)
    server.batches.isMoreComing = false
    server.tellAll('one')
    await turn()
    expect(server.writes()).toEqual(each(MANY_SOCKETS, 1))
  })

  it('a frame for fewer waits for nobody', async () => {
    const server = serverOf(MANY_SOCKETS - 1)
    server.tellAll('one')
    await turn()
    expect(server.writes()).toEqual(each(MANY_SOCKETS - 1, 1))
  })

  it('a socket that closes while its frames are held gets them', async () => {
    const server = serverOf(MANY_SOCKETS)
    server.tellAll('one')
    await turn()
    const [first] = server.lines
    first!.writer.flush()
    first!.writer.stop()
    expect(first!.taken).toEqual([textFrame('one')])
    vi.advanceTimersByTime(MAX_HELD_MS)
    expect(server.writes()).toEqual(each(MANY_SOCKETS, 1))
  })
})

/** Attacks below the level of frames' contents: bytes on a TCP connection that was upgraded to a WebSocket in all honesty. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface RawAttack {
  readonly name: string
  readonly bytes: () => Iterable<Uint8Array>
  /** Close codes that may answer it. 0: it is no breach of the protocol, and the socket goes on; 1006: the line is cut. */
  readonly codes: readonly number[]
  /** Nothing that the server says is read for this long. */
  readonly deafMs?: number
}

export interface RawOutcome {
  /** The code of the server's close frame; undefined if it just cut the line. */
  readonly code: number | undefined
  /** Whether it was closed at all. */
  readonly isClosed: boolean
  /** Text frames that the server answered with. */
  readonly texts: readonly string[]
}

interface FrameOptions {
  readonly fin?: boolean
  readonly reserved?: number
  readonly isMasked?: boolean
  /** Bytes that stand for the length, instead of the true ones. */
  readonly length?: Uint8Array
}
const TEXT = 1
const BINARY = 2
const CONTINUATION = 0
const CLOSE = 8
const PING = 9

function frame(opcode: number, payload: Uint8Array, options: FrameOptions = {}): Buffer {
  const { fin = true, reserved = 0, isMasked = true } = options
  const mask = isMasked ? randomBytes(4) : Buffer.alloc(0)
  const length = Buffer.from(options.length ?? lengthOf(payload.length))
  if (isMasked) length[0]! |= 0x80
  const body = Buffer.from(payload)
  if (isMasked) for (let i = 0; i < body.length; i++) body[i]! ^= mask[i & 3]!
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | (reserved << 4) | opcode]), length, mask, body])
}

function lengthOf(bytes: number): Uint8Array {
  if (bytes < 126) return Buffer.from([bytes])
  const length = Buffer.alloc(bytes < 65_536 ? 3 : 9)
  length[0] = bytes < 65_536 ? 126 : 127
  if (bytes < 65_536) length.writeUInt16BE(bytes, 1)
  else length.writeBigUInt64BE(BigInt(bytes), 1)
  return length
}

const long = (value: bigint): Uint8Array => {
  const length = Buffer.alloc(9)
  length[0] = 127
  length.writeBigUInt64BE(value, 1)
  return length
}
const text = (body: string) => Buffer.from(body)
const good = frame(TEXT, text('{"type":"ping"}'))
const once =
  (...frames: readonly Uint8Array[]) =>
  () =>
    frames
const closing = (code: number, reason: Uint8Array = Buffer.alloc(0)) => {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  return frame(CLOSE, Buffer.concat([payload, reason]))
}

const BREACH = [1002]

export const rawAttacks: readonly RawAttack[] = [
  { name: 'a frame without a mask', bytes: once(frame(TEXT, text('{}'), { isMasked: false })), codes: BREACH },
  ...[1, 2, 4, 7].map((reserved) => ({
    name: `reserved bits ${reserved.toString(2)}`,
    bytes: once(frame(TEXT, text('{}'), { reserved })),
    codes: BREACH,
  })),
  ...[3, 7, 11, 15].map((opcode) => ({
    name: `opcode ${opcode}`,
    bytes: once(frame(opcode, text('x'))),
    codes: BREACH,
  })),
  { name: 'a length of 2^63', bytes: once(frame(TEXT, text('x'), { length: long(2n ** 63n) })), codes: [1002, 1009] },
  {
    name: 'a length of 2^64 - 1',
    bytes: once(frame(TEXT, text('x'), { length: long(2n ** 64n - 1n) })),
    codes: [1002, 1009],
  },
  { name: 'a length of 2^53', bytes: once(frame(TEXT, text('x'), { length: long(2n ** 53n) })), codes: [1009] },
  { name: 'a length of 100 MB', bytes: once(frame(TEXT, text('x'), { length: long(100_000_000n) })), codes: [1009] },
  { name: '65,537 bytes', bytes: once(frame(TEXT, Buffer.alloc(65_537, 'x'))), codes: [1009] },
  { name: 'UTF-8 that is none', bytes: once(frame(TEXT, Buffer.from([0x22, 0xff, 0x22]))), codes: [1007] },
  { name: 'UTF-8 written too long', bytes: once(frame(TEXT, Buffer.from([0xc0, 0xaf]))), codes: [1007] },
  { name: 'UTF-8 of a surrogate', bytes: once(frame(TEXT, Buffer.from([0xed, 0xa0, 0x80]))), codes: [1007] },
  { name: 'UTF-8 cut in the middle', bytes: once(frame(TEXT, Buffer.from([0xf0, 0x9f, 0x92]))), codes: [1007] },
  { name: 'a binary frame', bytes: once(frame(BINARY, text('{"type":"ping"}'))), codes: [4400] },
  {
    name: '60,000 fragments',
    *bytes() {
      yield frame(TEXT, text('['), { fin: false })
      const many = Buffer.concat(Array.from({ length: 1_000 }, () => frame(CONTINUATION, text('['), { fin: false })))
      for (let nth = 0; nth < 60; nth++) yield many
      yield frame(CONTINUATION, text(']'))
    },
    codes: [0, 1008, 1009],
  },
  {
    name: '60,000 empty fragments',
    *bytes() {
      yield frame(TEXT, text('{'), { fin: false })
      const many = Buffer.concat(Array.from({ length: 1_000 }, () => frame(CONTINUATION, text(''), { fin: false })))
      for (let nth = 0; nth < 60; nth++) yield many
      yield frame(CONTINUATION, text('}'))
    },
    codes: [0, 1008, 1009],
  },
  {
    name: 'fragments that come to more than a frame may hold',
    bytes: once(
      frame(TEXT, Buffer.alloc(60_000, 'x'), { fin: false }),
      frame(CONTINUATION, Buffer.alloc(60_000, 'x'), { fin: false }),
    ),
    codes: [1009],
  },
  { name: 'a continuation of nothing', bytes: once(frame(CONTINUATION, text('x'))), codes: BREACH },
  {
    name: 'a text within a text',
    bytes: once(frame(TEXT, text('{'), { fin: false }), frame(TEXT, text('}'))),
    codes: BREACH,
  },
  { name: 'a ping of 126 bytes', bytes: once(frame(PING, Buffer.alloc(126))), codes: BREACH },
  { name: 'a ping in fragments', bytes: once(frame(PING, text('x'), { fin: false })), codes: BREACH },
  { name: 'a close of one byte', bytes: once(frame(CLOSE, Buffer.alloc(1))), codes: BREACH },
  { name: 'a close of 126 bytes', bytes: once(frame(CLOSE, Buffer.alloc(126))), codes: BREACH },
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map((code) => ({
    name: `a close with the code ${code}`,
    bytes: once(closing(code)),
    codes: BREACH,
  })),
  { name: 'a close whose reason is no UTF-8', bytes: once(closing(1000, Buffer.from([0xff, 0xfe]))), codes: [1007] },
  {
    name: 'a compressed bomb, though nothing was agreed',
    bytes: once(frame(TEXT, Buffer.from('ecc101010000008090feafee08', 'hex'), { reserved: 4 })),
    codes: BREACH,
  },
  {
    name: 'a flood of pings that reads its answers',
    *bytes() {
      const many = Buffer.concat(Array.from({ length: 500 }, () => frame(PING, Buffer.alloc(125))))
      for (let nth = 0; nth < 20; nth++) yield many
      yield good
    },
    codes: [0, 1006, 1008, 4400, 4413],
  },
  {
    name: 'a flood of pings that reads nothing',
    *bytes() {
      const many = Buffer.concat(Array.from({ length: 500 }, () => frame(PING, Buffer.alloc(125))))
      for (let nth = 0; nth < 400; nth++) yield many
    },
    codes: [0, 1006, 1008, 4400, 4413],
    deafMs: 1_500,
  },
  { name: 'no WebSocket at all', bytes: once(text('GET / HTTP/1.1\r\nHost: x\r\n\r\n')), codes: BREACH },
  { name: 'noise', bytes: () => [randomBytes(4_000)], codes: [0, 1002, 1007, 1009, 4400] },
  {
    name: 'a hundred good frames in one packet, before the hello',
    bytes: once(Buffer.concat(Array.from({ length: 100 }, () => good))),
    codes: [0, 4400],
  },
]

/** Opens a connection, upgrades it, does its worst, and tells what came of it. */
export async function runRawAttack(port: number, attack: RawAttack, waitMs = 1_000): Promise<RawOutcome> {
  const socket = connect(port, '127.0.0.1')
  const received: Buffer[] = []
  let isClosed = false
  const over = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true
      resolve()
    })
  })
  socket.on('error', () => undefined)
  socket.on('data', (data) => received.push(data))
  await upgrade(socket, received)
  if (attack.deafMs) socket.pause()
  for (const bytes of attack.bytes()) {
    if (isClosed) break
    if (!socket.write(bytes))
      await Promise.race([
        new Promise((resolve) => socket.once('drain', resolve)),
        over,
        pause(attack.deafMs ?? waitMs),
      ])
  }
  // What is no breach is followed by something honest, which has to be answered.
  if (attack.codes.includes(0) && !attack.deafMs) socket.write(good)
  if (attack.deafMs) await pause(attack.deafMs)
  socket.resume()
  const isAnswered = () => attack.codes.includes(0) && read(Buffer.concat(received)).texts.length > 0
  for (let waited = 0; !isClosed && !isAnswered() && waited < waitMs; waited += 10)
    await Promise.race([over, pause(10)])
  const outcome = { ...read(Buffer.concat(received)), isClosed }
  socket.destroy()
  await over
  return outcome
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

async function upgrade(socket: Socket, received: Buffer[]): Promise<void> {
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: parley.1\r\n` +
      `Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n`,
  )
  const isOpen = () => Buffer.concat(received).includes('\r\n\r\n')
  while (!isOpen() && !socket.destroyed) {
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('data', done).off('close', done)
        resolve()
      }
      socket.on('data', done).on('close', done)
    })
  }
  const answer = Buffer.concat(received)
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error('The upgrade was refused.')
  if (/sec-websocket-extensions/i.test(answer.toString('latin1'))) throw new Error('Compression was agreed to.')
  received.splice(0, received.length, answer.subarray(answer.indexOf('\r\n\r\n') + 4))
}

/** The frames in what the server said: unmasked, and never in fragments. */
function read(bytes: Buffer): Omit<RawOutcome, 'isClosed'> {
  const texts: string[] = []
  let code: number | undefined
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = bytes[at]! & 0x0f
    let length = bytes[at + 1]! & 0x7f
    let start = at + 2
    if (length === 126) {
      if (at + 4 > bytes.length) break
      length = bytes.readUInt16BE(at + 2)
      start = at + 4
    } else if (length === 127) {
      if (at + 10 > bytes.length) break
      length = Number(bytes.readBigUInt64BE(at + 2))
      start = at + 10
    }
    if (start + length > bytes.length) break
    if (opcode === TEXT) texts.push(bytes.toString('utf8', start, start + length))
    if (opcode === CLOSE && length >= 2) code = bytes.readUInt16BE(start)
    at = start + length
  }
  return { code, texts }
}

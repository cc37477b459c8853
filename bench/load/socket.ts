/**
 * A WebSocket client as cheap as can be, so that the load is not what is measured: frames are masked with zeros (which
 * is a mask), all that one turn sends is one write, and texts are handed over as bytes, unread.
 */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

export interface LoadSocket {
  send(text: string): void
  close(): void
  readonly isClosed: boolean
}

export interface LoadSocketOptions {
  readonly port: number
  /** The subprotocol asked for; none if empty. */
  readonly protocol: string
  /** A text frame lies in `data` from `start` to `end`. The bytes are only there during the call. */
  onFrame(data: Buffer, start: number, end: number): void
  onClose?(): void
}

/** What comes is read into one buffer, socket after socket: each read is done with before the next begins. */
const READ_BYTES = 65_536
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES)
/** Likewise what goes out. */
const WRITE_BYTES = 65_536
let writeBuffer = Buffer.allocUnsafeSlow(WRITE_BYTES)

export function openSocket({ port, protocol, onFrame, onClose }: LoadSocketOptions): Promise<LoadSocket> {
  return new Promise((resolve, reject) => {
    const onread = {
      buffer: readBuffer,
      callback(bytes: number) {
        hear(readBuffer.subarray(0, bytes))
        return true
      },
    }
    const socket = connect({ port, host: '127.0.0.1', onread })
    socket.setNoDelay(true)
    let rest: Buffer | undefined
    let isOpen = false
    let isClosed = false
    let out: string[] = []
    const peer: LoadSocket = {
      send(text) {
        if (out.length === 0) setImmediate(flush)
        out.push(text)
      },
      close: () => socket.destroy(),
      get isClosed() {
        return isClosed
      },
    }
    function flush() {
      const texts = out
      out = []
      let end = 0
      for (const text of texts) {
        if (end + maxFrameBytes(text) > writeBuffer.length) {
          write(end)
          end = 0
        }
        if (maxFrameBytes(text) > writeBuffer.length) writeLong(text)
        else end = writeMasked(writeBuffer, end, text)
      }
      write(end)
    }
    function write(end: number) {
      if (end === 0 || socket.destroyed) return
      socket.write(writeBuffer.subarray(0, end))
      // The system has not taken all of it yet, so nothing may be written over it.
      if (socket.writableLength > 0) writeBuffer = Buffer.allocUnsafeSlow(WRITE_BYTES)
    }
    function writeLong(text: string) {
      const frame = Buffer.allocUnsafe(maxFrameBytes(text))
      if (!socket.destroyed) socket.write(frame.subarray(0, writeMasked(frame, 0, text)))
    }
    socket.on('connect', () => {
      socket.write(
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
          `${protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''}\r\n`,
      )
    })
    function hear(chunk: Buffer) {
      let data = rest ? Buffer.concat([rest, chunk]) : chunk
      rest = undefined
      if (!isOpen) {
        const end = data.indexOf('\r\n\r\n')
        if (end < 0) {
          rest = Buffer.from(data)
          return
        }
        if (data.toString('latin1', 0, 12) !== 'HTTP/1.1 101') {
          reject(new Error(`No upgrade: ${data.subarray(0, 60)}`))
          return
        }
        isOpen = true
        data = data.subarray(end + 4)
        resolve(peer)
      }
      let at = 0
      while (data.length - at >= 2) {
        let length = data[at + 1]! & 0x7f
        let header = 2
        if (length === 126) {
          if (data.length - at < 4) break
          length = data.readUInt16BE(at + 2)
          header = 4
        } else if (length === 127) {
          if (data.length - at < 10) break
          length = Number(data.readBigUInt64BE(at + 2))
          header = 10
        }
        if (data.length - at < header + length) break
        const opcode = data[at]! & 0x0f
        if (opcode === 1) onFrame(data, at + header, at + header + length)
        else if (opcode === 9) socket.write(PONG)
        at += header + length
      }
      if (at < data.length) rest = Buffer.from(data.subarray(at))
    }
    socket.on('error', (error) => reject(error))
    socket.on('close', () => {
      isClosed = true
      reject(new Error('The server closed the connection.'))
      onClose?.()
    })
  })
}

const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

const MAX_HEADER_BYTES = 14
const maxFrameBytes = (text: string): number => MAX_HEADER_BYTES + 3 * text.length

/** @returns where the frame ends */
function writeMasked(into: Buffer, at: number, text: string): number {
  // How long the header is depends on the bytes of the text, which its characters tell nearly always.
  const { length } = text
  const header = headerBytes(headerBytes(length) === headerBytes(3 * length) ? length : Buffer.byteLength(text))
  const bytes = into.write(text, at + header)
  into[at] = 0x81
  if (header === 6) into[at + 1] = 0x80 | bytes
  else if (header === 8) {
    into[at + 1] = 0x80 | 126
    into.writeUInt16BE(bytes, at + 2)
  } else {
    into[at + 1] = 0x80 | 127
    into.writeBigUInt64BE(BigInt(bytes), at + 2)
  }
  into.fill(0, at + header - 4, at + header)
  return at + header + bytes
}

const headerBytes = (bytes: number): number => (bytes < 126 ? 6 : bytes < 65_536 ? 8 : 14)

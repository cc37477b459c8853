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

export function openSocket({ port, protocol, onFrame, onClose }: LoadSocketOptions): Promise<LoadSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    let rest: Buffer | undefined
    let isOpen = false
    let isClosed = false
    let out: Buffer[] = []
    const peer: LoadSocket = {
      send(text) {
        if (out.length === 0) setImmediate(flush)
        out.push(maskedFrame(text))
      },
      close: () => socket.destroy(),
      get isClosed() {
        return isClosed
      },
    }
    function flush() {
      const frames = out
      out = []
      if (!socket.destroyed) socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
    }
    socket.on('connect', () => {
      socket.write(
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
          `${protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''}\r\n`,
      )
    })
    socket.on('data', (chunk) => {
      let data = rest ? Buffer.concat([rest, chunk]) : chunk
      rest = undefined
      if (!isOpen) {
        const end = data.indexOf('\r\n\r\n')
        if (end < 0) {
          rest = data
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
      if (at < data.length) rest = at === 0 ? data : data.subarray(at)
    })
    socket.on('error', (error) => reject(error))
    socket.on('close', () => {
      isClosed = true
      reject(new Error('The server closed the connection.'))
      onClose?.()
    })
  })
}

const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

function maskedFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const header = length < 126 ? 6 : length < 65_536 ? 8 : 14
  const frame = Buffer.alloc(header + length)
  frame[0] = 0x81
  if (header === 6) frame[1] = 0x80 | length
  else if (header === 8) {
    frame[1] = 0x80 | 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 0x80 | 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, header)
  return frame
}

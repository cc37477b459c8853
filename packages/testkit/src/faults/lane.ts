import type { Socket } from 'node:net'
import type { Direction } from './tcp-proxy.ts'

/** What goes wrong at the moment. Changed by the test through the proxy, read by every lane. */
export interface Weather {
  delayMs: number
  bytesPerSecond: number
  readonly isStalled: Record<Direction, boolean>
  cuts: { [direction in Direction]?: { bytes: number; readonly done: () => void } }
}

export interface LaneOptions {
  readonly from: Socket
  readonly to: Socket
  readonly direction: Direction
  readonly weather: Weather
  readonly onPassed: (bytes: number) => void
  readonly onCut: () => void
}

/** More than this waiting in one lane, and the sender is made to wait, as a full network would. */
const MAX_WAITING_BYTES = 1024 * 1024
/** A throttled lane passes pieces worth this much time, so that its speed is even. */
const PIECE_MS = 20

/** One direction of one connection: bytes wait in order until the weather lets them pass. */
export class Lane {
  readonly #options: LaneOptions
  #waiting: { bytes: Buffer; readonly dueAt: number }[] = []
  #waitingBytes = 0
  #timer: NodeJS.Timeout | undefined
  #freeAt = 0
  #hasEnded = false
  #isClosed = false

  constructor(options: LaneOptions) {
    this.#options = options
    options.from.on('data', (bytes: Buffer) => this.#take(bytes))
    options.from.on('end', () => {
      this.#hasEnded = true
      this.pump()
    })
  }

  /** Passes on whatever may pass now, and comes back for the rest. */
  pump(): void {
    clearTimeout(this.#timer)
    const { weather, to, from, direction } = this.#options
    while (!this.#isClosed && !weather.isStalled[direction]) {
      const next = this.#waiting[0]
      if (!next) {
        if (this.#hasEnded && !to.writableEnded) to.end()
        return
      }
      const waitMs = Math.max(next.dueAt, this.#freeAt) - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs)
        return
      }
      this.#pass(next)
      if (this.#waitingBytes < MAX_WAITING_BYTES && from.isPaused()) from.resume()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#waiting = []
    clearTimeout(this.#timer)
  }

  #take(bytes: Buffer) {
    if (this.#isClosed) return
    this.#waiting.push({ bytes, dueAt: performance.now() + this.#options.weather.delayMs })
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#options.from.pause()
    this.pump()
  }

  #pass(next: { bytes: Buffer }) {
    const { weather, to, direction, onPassed, onCut } = this.#options
    const cut = weather.cuts[direction]
    const perPiece = Math.max(1, Math.floor((weather.bytesPerSecond * PIECE_MS) / 1000))
    const piece = next.bytes.subarray(0, Math.min(perPiece, cut?.bytes ?? Number.POSITIVE_INFINITY))
    next.bytes = next.bytes.subarray(piece.length)
    if (next.bytes.length === 0) this.#waiting.shift()
    this.#waitingBytes -= piece.length
    if (Number.isFinite(weather.bytesPerSecond)) {
      this.#freeAt = performance.now() + (piece.length / weather.bytesPerSecond) * 1000
    }
    onPassed(piece.length)
    if (cut) cut.bytes -= piece.length
    if (cut?.bytes !== 0) return void to.write(piece)
    delete weather.cuts[direction]
    this.close()
    to.end(piece, () => {
      onCut()
      cut.done()
    })
  }
}

import type { SharedFrame } from './shared-frame.ts'
import { maxFrameBytes, textFrame, writeTextFrame } from './text-frame.ts'

/** A text for one socket, or a frame that others get as well. */
export type Outgoing = string | SharedFrame

/** Bytes of the buffer that is used again and again; whatever does not fit gets one of its own. */
const SCRATCH_BYTES = 65_536

/**
 * Joins the frames that one turn brought for a socket into one run of bytes. They are put together in a buffer that
 * serves one socket after the other, since a new one for each write is what the collector would be busy with; sockets
 * that are to get the same frames, as the members of one conversation do, get the same bytes.
 */
export class JoinedFrames {
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  #frames: readonly Outgoing[] = []
  #bytes: Buffer = this.#scratch.subarray(0, 0)

  /** The bytes of these frames, good until the next call for others. */
  join(frames: readonly Outgoing[]): Buffer {
    if (isSame(frames, this.#frames)) return this.#bytes
    const end = this.#write(frames)
    this.#frames = frames
    this.#bytes =
      end === undefined
        ? Buffer.concat(frames.map((frame) => (typeof frame === 'string' ? textFrame(frame) : frame.bytes)))
        : this.#scratch.subarray(0, end)
    return this.#bytes
  }

  /**
   * The same in memory of its own and no larger, for whoever will not be done with it soon: a peer that reads slowly holds
   * on to what it is given, and would hold on to all the room around it.
   */
  keep(frames: readonly Outgoing[]): Buffer {
    const bytes = this.join(frames)
    if (bytes.buffer === this.#scratch.buffer) this.#bytes = Buffer.from(bytes)
    return this.#bytes
  }

  /** Somebody still reads the bytes that were joined last: nothing more is written over them. */
  leave(): void {
    if (this.#bytes.buffer === this.#scratch.buffer) this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  }

  /** Lets go of the frames. */
  forget(): void {
    this.#frames = []
    this.#bytes = this.#scratch.subarray(0, 0)
  }

  /** @returns where they end; undefined if there is no room */
  #write(frames: readonly Outgoing[]): number | undefined {
    const into = this.#scratch
    let end: number | undefined = 0
    for (const frame of frames) {
      end = typeof frame === 'string' ? writeText(into, end, frame) : frame.writeTo(into, end)
      if (end === undefined) return undefined
    }
    return end
  }
}

const writeText = (into: Buffer, at: number, text: string): number | undefined =>
  at + maxFrameBytes(text) <= into.length ? writeTextFrame(into, at, text) : undefined

/** Texts are for one socket only, so they are not looked at: two lists that hold one are taken to differ. */
function isSame(a: readonly Outgoing[], b: readonly Outgoing[]): boolean {
  if (a.length !== b.length || a.length === 0) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] || typeof a[i] === 'string') return false
  return true
}

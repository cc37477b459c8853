import type { AcknowledgementFrame, DownFrame } from '@parley/protocol'

/** Frames not yet written. Beyond it live changes are noted as heads only, and pulled once there is air. */
const MAX_FRAMES_WAITING = 2_000
/** Acknowledgements that share a commit. */
const MAX_ACKNOWLEDGEMENTS_AT_ONCE = 64

/** What the server said and is not written yet, in order, in bounded room. */
export class FrameQueue {
  #frames: DownFrame[] = []

  push(frame: DownFrame): void {
    if (frame.type === 'change' && this.#frames.length >= MAX_FRAMES_WAITING) {
      const { stream, sequence } = frame
      this.#frames.push({ type: 'heads', streams: [{ stream, sequence }], cursor: null })
    } else {
      this.#frames.push(frame)
    }
  }

  next(): DownFrame | undefined {
    return this.#frames.shift()
  }

  /** This one with those that follow at once. */
  withAcknowledgements(first: AcknowledgementFrame): AcknowledgementFrame[] {
    const taken = [first]
    while (taken.length < MAX_ACKNOWLEDGEMENTS_AT_ONCE && this.#frames[0]?.type === 'acknowledgement') {
      taken.push(this.#frames.shift() as AcknowledgementFrame)
    }
    return taken
  }

  clear(): void {
    this.#frames = []
  }
}

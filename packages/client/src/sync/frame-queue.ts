import type { AcknowledgementFrame, DownFrame } from '@parley/protocol'

/** Frames not yet written. Beyond it live changes are noted as heads only, and pulled once there is air. */
const MAX_FRAMES_WAITING = 2_000
/** Acknowledgements that share a commit. */
const MAX_ACKNOWLEDGEMENTS_AT_ONCE = 64

/** Each is called once the one before has settled; they don't fail. */
export interface FrameTakers {
  readonly write: (frame: DownFrame) => Promise<void>
  readonly settle: (answers: readonly AcknowledgementFrame[]) => Promise<void>
}

/** What the server said and is not written yet: given on in order, one at a time, in bounded room. */
export class FrameQueue {
  readonly #takers: FrameTakers
  #frames: DownFrame[] = []
  #isDraining = false

  constructor(takers: FrameTakers) {
    this.#takers = takers
  }

  push(frame: DownFrame): void {
    if (frame.type === 'change' && this.#frames.length >= MAX_FRAMES_WAITING) {
      const { stream, sequence } = frame
      this.#frames.push({ type: 'heads', streams: [{ stream, sequence }], cursor: null })
    } else {
      this.#frames.push(frame)
    }
    if (!this.#isDraining) void this.#drain()
  }

  async #drain(): Promise<void> {
    const { write, settle } = this.#takers
    this.#isDraining = true
    try {
      for (let frame = this.#frames.shift(); frame; frame = this.#frames.shift()) {
        if (frame.type === 'acknowledgement') await settle(this.#withAcknowledgements(frame))
        else await write(frame)
      }
    } finally {
      this.#isDraining = false
    }
  }

  /** This one with those that follow at once. */
  #withAcknowledgements(first: AcknowledgementFrame): AcknowledgementFrame[] {
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

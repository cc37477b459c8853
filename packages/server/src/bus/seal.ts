import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Channel, MAX_PAYLOAD_BYTES } from './bus.ts'

/**
 * Nodes of one deployment know each other by a secret that lies in their store. Whoever can reach the bus but not the
 * store can neither make a node believe anything nor pass a message on to another channel or deployment; what goes over
 * the wire is not hidden by it, which is for TLS to do.
 *
 *     'P' 1 │ 32 bytes HMAC-SHA256 of channel and text │ text, UTF-8
 */
export class Seal {
  readonly #key: Buffer

  /** @param secret the store's own; what is used here cannot be used for anything else */
  constructor(secret: string) {
    this.#key = createHmac('sha256', secret).update('parley bus').digest()
  }

  seal(channel: Channel, text: string): Uint8Array {
    const payload = Buffer.allocUnsafe(BODY_AT + Buffer.byteLength(text))
    payload.write(text, BODY_AT)
    payload.set(PREFIX)
    payload.set(this.#mark(channel, payload.subarray(BODY_AT)), PREFIX.length)
    return payload
  }

  open(channel: Channel, payload: Uint8Array): Opened {
    if (payload.length > MAX_PAYLOAD_BYTES) return { fault: 'oversized' }
    if (payload.length < BODY_AT || payload[0] !== PREFIX[0]) return { fault: 'malformed' }
    if (payload[1] !== VERSION) return { fault: 'other-version' }
    const body = payload.subarray(BODY_AT)
    if (!timingSafeEqual(payload.subarray(PREFIX.length, BODY_AT), this.#mark(channel, body)))
      return { fault: 'forged' }
    return { text: Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8') }
  }

  #mark(channel: Channel, body: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(`${channel}\n`).update(body).digest()
  }
}

export type Opened = { readonly text: string } | { readonly fault: Fault }
export type Fault = 'oversized' | 'malformed' | 'other-version' | 'forged'

const VERSION = 1
const PREFIX = Buffer.from([0x50, VERSION])
const BODY_AT = PREFIX.length + 32
/** Bytes a seal adds to a text. */
export const SEAL_BYTES = BODY_AT

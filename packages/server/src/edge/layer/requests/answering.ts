import { isTemporary, limits, type Refusal, refuse } from '@parley/protocol'
import type { Session } from '../../../model/state.ts'
import { StoreOutage } from '../../../store/store.ts'
import type { LayerDesk } from '../desk.ts'
import type { PacketQueue } from '../packet-queue.ts'
import { type Packet, response } from '../packets.ts'
import type { Answer, PacketStream, RequestConnection } from './request.ts'
import { requests } from './table.ts'

/** Replays waiting for their turn. */
const MAX_STREAMS = 4
const REQUEST_ID = /^[\w.-]{1,128}$/

export interface AnsweringOptions {
  readonly desk: LayerDesk
  readonly session: Session
  readonly connection: RequestConnection
  readonly queue: PacketQueue
  /** Resolves when the peer has taken enough to be sent more; false if it is gone. */
  readonly ready: () => Promise<boolean>
}

/** Answers the requests of one socket: each once, in their order, in line with everything else that goes down it. */
export class Answering {
  readonly #options: AnsweringOptions
  #inFlight = 0
  #streams = 0

  constructor(options: AnsweringOptions) {
    this.#options = options
  }

  /** Whether this could be answered at all; what cannot is no request. */
  static isAnswerable({ request_id: id }: Record<string, unknown>): boolean {
    return id === undefined || (typeof id === 'string' && id.length <= 128)
  }

  handle(body: Record<string, unknown>): void {
    const { desk, session, connection, queue } = this.#options
    const answered = (answer: Answer) => answerTo(body, answer)
    const handler = requests.get(body.method as string)
    const fault = requestFault(body, this.#inFlight)
    if (fault || !handler) {
      this.#put(answered(fault ?? refuse('invalid_operation', { message: `There is no method '${body.method}'.` })))
      return
    }
    const request = { desk, session, connection, objectId: body.object_id, data: body.data }
    if ('stream' in handler) this.#stream(handler.stream(request), answered)
    else if ('answer' in handler) {
      queue.put((send) => {
        const packet = answered(handler.answer(request))
        if (packet) send(packet)
      })
    } else this.#begin(handler.begin(request), answered)
  }

  #begin(answer: Promise<Answer>, answered: (answer: Answer) => Packet | undefined): void {
    this.#inFlight++
    const settled = answer
      .catch((error) => this.#trouble(error))
      .finally(() => {
        this.#inFlight--
      })
    this.#options.queue.put(async (send) => {
      const packet = answered(await settled)
      if (packet) send(packet)
    })
  }

  /** At the pace the peer takes it. */
  #stream(
    stream: PacketStream | { readonly refusal: Refusal },
    answered: (answer: Answer) => Packet | undefined,
  ): void {
    if ('refusal' in stream || this.#streams >= MAX_STREAMS) {
      this.#put(answered('refusal' in stream ? stream : refuse('rate_limit_exceeded')))
      return
    }
    this.#streams++
    this.#options.queue.put(async (send) => {
      let answer: Answer = { data: {} }
      try {
        for await (const packet of stream.packets) {
          send(packet, stream.at)
          if (!(await this.#options.ready())) return
        }
      } catch (error) {
        answer = this.#trouble(error)
        if (error instanceof StoreOutage) {
          // Told no, Layer's clients never ask again; on their next connection they do, from the time of what they heard
          // last. That is this, and not what else came down the line before they were answered.
          const packet = answered(answer)
          if (packet) send(packet, stream.at)
          throw error
        }
      } finally {
        this.#streams--
      }
      const packet = answered(answer)
      if (packet) send(packet)
    })
  }

  #trouble(error: unknown): Answer {
    if (error instanceof StoreOutage) return refuse('service_unavailable')
    this.#options.desk.edge.log('a request failed', { error: error instanceof Error ? error.stack : String(error) })
    return refuse('internal_server_error')
  }

  #put(packet: Packet | undefined): void {
    if (packet) this.#options.queue.put((send) => send(packet))
  }
}

/** Who gives no id wants no answer. */
function answerTo(body: Record<string, unknown>, answer: Answer): Packet | undefined {
  const { request_id: id, method, object_id: objectId } = body
  if (typeof id !== 'string') return undefined
  const named = typeof objectId === 'string' && objectId.length <= 256 ? objectId : undefined
  const to = { id, method: typeof method === 'string' ? method.slice(0, 128) : '', objectId: named }
  return response(to, 'refusal' in answer ? { refusal: inLayersWords(answer.refusal) } : answer)
}

/**
 * What is refused for now, in the one word for it that Layer's clients know on a socket: for any other they give the
 * message up instead of sending it again.
 */
function inLayersWords(refusal: Refusal): Refusal {
  if (!isTemporary(refusal.id)) return refusal
  return { ...refusal, id: 'request_timeout', message: refusal.message ?? 'Not just now. Try again in a moment.' }
}

function requestFault(
  { request_id: id, method }: Record<string, unknown>,
  inFlight: number,
): { readonly refusal: Refusal } | undefined {
  if (typeof id === 'string' && !REQUEST_ID.test(id)) return refuse('invalid_request_id')
  if (typeof method !== 'string') return refuse('invalid_request', { message: 'A request names a method.' })
  if (inFlight >= limits.maxOperationsInFlight) return refuse('rate_limit_exceeded')
  return undefined
}

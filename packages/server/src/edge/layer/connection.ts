import { closeCodes, parseConversationId } from '@parley/protocol'
import type { Change, Listener, Typing } from '../../delivery/change.ts'
import type { Session } from '../../model/state.ts'
import { type Allowance, typingAllowance } from '../allowance.ts'
import { decodeJson } from '../json-input.ts'
import type { Socket } from '../sockets/socket.ts'
import { tell } from './changes/tell.ts'
import type { LayerDesk } from './desk.ts'
import { PacketQueue } from './packet-queue.ts'
import { type Packet, type Packets, response } from './packets.ts'
import { Answering } from './requests/answering.ts'
import { members } from './submit.ts'
import { typingPacket } from './typing-packet.ts'

/** Packets that are no packets; after these the peer is taken to be something else. */
const MAX_BAD_PACKETS = 20
/** Bytes a peer may have unsent before more of a replay is read for it. */
const REPLAY_AHEAD_BYTES = 262_144
/** A client asks for what it missed as soon as it is connected. After this it is taken not to want it. */
const FIRST_REQUEST_MS = 1_000
const ACTIONS = ['started', 'paused', 'finished'] as const

/**
 * One socket of a Layer SDK: decodes, hands over, encodes, decides nothing. Answers and changes share one line, so that
 * an answer comes before the change it made, and each before what was told later.
 *
 * Who comes back asks for a replay first of all, and that is told before what happened since: a client takes the time of the
 * newest packet for how far it has heard. One change of the present, and a loss before the replay, would be a hole for good.
 */
export class LayerConnection implements Listener {
  readonly #desk: LayerDesk
  readonly #socket: Socket
  readonly #session: Session
  readonly #queue: PacketQueue
  readonly #answering: Answering
  readonly #typing: Allowance
  readonly #release: (() => void)[]
  #isOpen = true
  #isLeaving = false
  #isSubscribed = false
  #badPackets = 0

  constructor(desk: LayerDesk, socket: Socket, session: Session) {
    this.#desk = desk
    this.#socket = socket
    this.#session = session
    const { clock, delivery, sessions, log } = desk.edge
    const queue = new PacketQueue({
      sendText: (text) => socket.sendText(text),
      now: () => clock.now(),
      after: (ms, callback) => clock.after(ms, callback),
      failed: (error) => {
        log('a Layer client has to come back for what it missed', { error: String(error) })
        this.#close(closeCodes.goingAway)
      },
    })
    this.#queue = queue
    queue.hold()
    this.#typing = typingAllowance(clock)
    this.#answering = new Answering({
      ...{ desk, session, queue },
      connection: {
        get lastCounter() {
          return queue.lastCounter
        },
        subscribeToPresence: () => this.#subscribe(),
      },
      ready: async () => {
        await socket.drained(REPLAY_AHEAD_BYTES)
        return this.#isOpen
      },
    })
    const leave = delivery.listen(session.app, session.userId, this)
    this.#release = [leave, clock.after(FIRST_REQUEST_MS, () => queue.begin())]
    const hold = sessions.hold(session, { ended: () => this.#close(closeCodes.sessionEnded), renewed: () => undefined })
    this.#release.push(() => hold.release())
  }

  /** A text frame has arrived. */
  receive(text: string): void {
    if (!this.#isOpen || this.#isLeaving) return
    const decoded = decodeJson(text)
    const packet = 'refusal' in decoded ? decoded : members(decoded.value)
    const body = 'refusal' in packet ? packet : members(packet.members.body)
    const isReplay = 'members' in body && body.members.method === 'Event.replay'
    // Its place is before what happened since this connection came, that of anything else after it.
    if (!isReplay) this.#queue.begin()
    this.#queue.begin(() => this.#received(packet, body))
  }

  #received(packet: ReturnType<typeof members>, body: ReturnType<typeof members>): void {
    if ('refusal' in packet || 'refusal' in body) this.#ignore()
    else if (packet.members.type === 'request' && Answering.isAnswerable(body.members)) {
      this.#answering.handle(body.members)
    } else if (packet.members.type === 'signal') this.#signal(body.members)
    else this.#ignore()
  }

  change(change: Change): void {
    const packets = this.#tell(change)
    if (!('then' in packets)) {
      for (const packet of packets) this.#put(packet)
      return
    }
    // Awaited in turn; until then a failure is nobody's but ours.
    packets.catch(() => undefined)
    this.#queue.put(async (send) => {
      for (const packet of await packets) send(packet)
    })
  }

  typing(typing: Typing): void {
    // Worth nothing later.
    if (this.#queue.isBehind) return
    typingPacket(this.#desk, this.#session.app, typing).then(
      (packet) => this.#put(packet),
      () => undefined,
    )
  }

  tooSlow(): void {
    this.#close(closeCodes.tooSlow)
  }

  /** What was asked before is answered first, as far as it takes a moment; what comes now is for another server. */
  drain(): void {
    this.#isLeaving = true
    this.#queue.begin()
    this.#queue.put(() => this.#close(closeCodes.goingAway))
  }

  /** The socket is gone, whoever closed it. */
  gone(): void {
    this.#isOpen = false
    this.#queue.stop()
    for (const release of this.#release.splice(0)) release()
  }

  /** Never throws: others are told of the same change after us. */
  #tell(change: Change): Packets | Promise<Packets> {
    try {
      return tell(this.#desk, this.#session, change)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #signal({ type, object, data, request_id: id }: Record<string, unknown>): void {
    const [named, said] = [members(object), members(data)]
    if (type !== 'typing_indicator' || 'refusal' in named || 'refusal' in said) {
      this.#ignore()
      return
    }
    const action = ACTIONS.find((one) => one === said.members.action)
    const conversation = parseConversationId(String(named.members.id))
    if (!action || !conversation) {
      this.#ignore()
      return
    }
    const { app, userId: sender } = this.#session
    if (this.#desk.edge.lane.isPressed) return
    if (!this.#typing.take()) {
      this.#desk.edge.tally.rateLimited.add('typing')
      return
    }
    void this.#desk.edge.delivery.type(app, { conversation, sender, action }).catch(() => undefined)
    if (typeof id === 'string' && id.length <= 128) this.#put(response({ id, method: type }, { data: {} }))
  }

  #subscribe(): void {
    if (this.#isSubscribed || !this.#isOpen) return
    this.#isSubscribed = true
    this.#release.push(this.#desk.presence.subscribe(this.#session, (packet) => this.#put(packet)))
  }

  #put(packet: Packet | undefined): void {
    if (packet) this.#queue.put((send) => send(packet))
  }

  /** Nobody to answer: what came names no request. */
  #ignore(): void {
    this.#badPackets++
    if (this.#badPackets >= MAX_BAD_PACKETS) this.#close(closeCodes.protocolError)
  }

  #close(code: number): void {
    if (!this.#isOpen) return
    this.#socket.close(code)
    this.gone()
  }
}

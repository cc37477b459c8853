/**
 * Unread and receipts against a model that a child could check: sets of numbers. The far halves of the verbs decide, the
 * ledger turns facts into rows, five devices take the rows in when they please, and what they and the server count is
 * compared with the sets.
 */
import {
  hasPosition,
  isUnread,
  limits,
  type RecipientStatus,
  type Row,
  recipientStatus,
  type UserId,
  type Uuid,
  unreadRanges,
  uuidv7,
} from '@parley/protocol'
import { type AppKey, encode, Ledger, operations, type StreamMove, WorkingSet } from '@parley/server/in-process'
import { SeededChance } from '../seeded-chance.ts'

const APP = 1 as AppKey
const PEOPLE = ['ann', 'bob', 'cleo'] as UserId[]
const DEVICES = ['ann', 'ann', 'bob', 'bob', 'cleo'] as UserId[]
/** A conversation this long is left alone and a new one begun, so that a recount stays cheap. */
const MAX_MESSAGES = 60

/** What the marks of one person ought to be. */
interface PersonModel {
  isIn: boolean
  lastPosition: number
  readonly read: Set<number>
  readonly delivered: Set<number>
  readonly hidden: Set<number>
  readonly absent: Set<number>
}

interface MessageModel {
  readonly sender: UserId
  isDeleted: boolean
}

export interface ReceiptsOutcome {
  readonly steps: number
  readonly comparisons: number
  readonly operations: number
  readonly findings: readonly string[]
}

export function runReceipts(of: {
  readonly seed: number
  readonly steps: number
  /** Breaks rows on their way to a device, to see whether it is noticed. */
  readonly tamper?: (row: Row) => Row
}): ReceiptsOutcome {
  const chance = new SeededChance(of.seed)
  const findings: string[] = []
  let talk = new Talk(chance, of.tamper)
  let comparisons = 0
  let done = 0
  for (let step = 0; step < of.steps && findings.length === 0; step++) {
    if (talk.length >= MAX_MESSAGES && chance.below(40) === 0) talk = new Talk(chance, of.tamper)
    if (talk.act()) done++
    const finding = talk.look()
    if (finding === undefined) continue
    comparisons++
    if (finding !== '') findings.push(`seed ${of.seed}, step ${step}: ${finding}`)
  }
  return { steps: of.steps, comparisons, operations: done, findings }
}

/** One conversation, from its creation on. */
class Talk {
  readonly #chance: SeededChance
  readonly #known = new WorkingSet()
  readonly #id: Uuid
  readonly #messages: MessageModel[] = []
  readonly #ids: Uuid[] = []
  readonly #people = new Map<UserId, PersonModel>()
  readonly #devices: readonly Device[]

  constructor(chance: SeededChance, tamper: (row: Row) => Row = (row) => row) {
    this.#chance = chance
    this.#devices = DEVICES.map((userId) => new Device(userId, tamper))
    this.#id = this.#uuid()
    this.#known.learn(
      {
        conversations: [],
        distinctKeys: [],
        messages: [],
        people: PEOPLE.map((key) => ({ app: APP, key })),
        operations: [],
        nonces: [],
        sessions: [],
      },
      { conversations: [], messages: [], people: [], operations: [], nonces: [], sessions: [] },
    )
    this.#carryOut('ann' as UserId, 'create-conversation', { id: this.#id, participants: PEOPLE, distinct: false })
    for (const userId of PEOPLE) {
      this.#people.set(userId, {
        isIn: true,
        lastPosition: 0,
        read: new Set(),
        delivered: new Set(),
        hidden: new Set(),
        absent: new Set(),
      })
    }
  }

  get length(): number {
    return this.#messages.length
  }

  /** Somebody does something, which the model does as well; false if it was refused. */
  act(): boolean {
    const userId = this.#chance.pick(PEOPLE)
    const kind = this.#chance.below(100)
    if (kind < 22) return this.#send(userId)
    if (kind < 78) return this.#mark(userId)
    if (kind < 86) return this.#deleteMessage(userId)
    if (kind < 90) return this.#deleteFromDevices(userId)
    return this.#changeParticipants(userId)
  }

  /** Some device takes in some of what is on its way; level with the log, it is compared. Undefined if it is not. */
  look(): string | undefined {
    const device = this.#chance.pick(this.#devices)
    device.take(this.#chance.below(6))
    const model = this.#people.get(device.userId)!
    if (!device.isLevel || !model.isIn) return undefined
    return this.#difference(device, model) ?? ''
  }

  #difference(device: Device, model: PersonModel): string | undefined {
    const { userId } = device
    const own = device.participants.get(userId)
    if (!own) return `${userId} has no row of their own`
    const view = { read: own.read, hidden: device.hidden }
    const unread = this.#messages.filter(
      ({ sender, isDeleted }, i) =>
        !isDeleted && sender !== userId && !model.read.has(i + 1) && !model.hidden.has(i + 1),
    ).length
    const live = [...device.messages.values()]
    const counted = live.filter(
      ({ position, isDeleted, sender }) => !isDeleted && isUnread(view, { position, isOwn: sender === userId }),
    ).length
    if (counted !== unread) return `${userId} has ${unread} unread, a device counts ${counted}`
    const ranges = unreadRanges(view, this.#messages.length)
    const inRanges = live.filter(
      ({ position, isDeleted, sender }) => !isDeleted && sender !== userId && hasPosition(ranges, position),
    ).length
    if (inRanges !== unread) return `${userId} has ${unread} unread, the ranges hold ${inRanges}`
    if (this.#messages.length === 0) return undefined
    const position = 1 + this.#chance.below(this.#messages.length)
    const other = this.#chance.pick(PEOPLE)
    const row = device.participants.get(other)
    const status = row && recipientStatus(row, position, this.#messages[position - 1]!.sender === other)
    const wanted = this.#status(other, position)
    return status === wanted ? undefined : `${position} is ${wanted} for ${other}, a device of ${userId} says ${status}`
  }

  #status(userId: UserId, position: number): RecipientStatus | undefined {
    const { absent, read, delivered } = this.#people.get(userId)!
    if (this.#messages[position - 1]!.sender === userId) return 'read'
    if (absent.has(position)) return undefined
    if (read.has(position)) return 'read'
    return delivered.has(position) ? 'delivered' : 'sent'
  }

  #send(userId: UserId): boolean {
    if (this.#messages.length >= MAX_MESSAGES) return false
    const id = this.#uuid()
    const parts = [{ mime_type: 'text/plain', body: 'x' }]
    if (!this.#carryOut(userId, 'send-message', { id, conversation: this.#id, parts })) return false
    this.#messages.push({ sender: userId, isDeleted: false })
    this.#ids.push(id)
    return true
  }

  #mark(userId: UserId): boolean {
    const head = this.#messages.length
    const position = 1 + this.#chance.below(head + 3)
    const only = this.#chance.below(2) === 0
    const receipt = this.#chance.below(2) === 0 ? ('read' as const) : ('delivery' as const)
    if (!this.#carryOut(userId, 'mark-messages', { conversation: this.#id, receipt, position, only })) return false
    const model = this.#people.get(userId)!
    for (let each = only ? position : 1; each <= Math.min(position, head); each++) {
      model.delivered.add(each)
      if (receipt === 'read') model.read.add(each)
    }
    return true
  }

  #deleteMessage(userId: UserId): boolean {
    if (this.#messages.length === 0) return false
    const at = this.#chance.below(this.#messages.length)
    const mode = this.#chance.below(2) === 0 ? ('my_devices' as const) : ('all_participants' as const)
    const input = { conversation: this.#id, message: this.#ids[at]!, mode }
    if (!this.#carryOut(userId, 'delete-message', input)) return false
    if (mode === 'my_devices') this.#people.get(userId)!.hidden.add(at + 1)
    else this.#messages[at]!.isDeleted = true
    return true
  }

  #deleteFromDevices(userId: UserId): boolean {
    const input = { conversation: this.#id, mode: 'my_devices' as const, leave: false }
    if (!this.#carryOut(userId, 'delete-conversation', input)) return false
    const { hidden } = this.#people.get(userId)!
    for (let each = 1; each <= this.#messages.length; each++) hidden.add(each)
    return true
  }

  #changeParticipants(userId: UserId): boolean {
    const other = this.#chance.pick(PEOPLE)
    const model = this.#people.get(other)!
    const operation = model.isIn ? ('remove' as const) : ('add' as const)
    const head = this.#messages.length
    const patch = [{ operation, property: 'participants', id: `layer:///identities/${other}` }]
    if (!this.#carryOut(userId, 'update-conversation', { conversation: this.#id, patch })) return false
    model.isIn = operation === 'add'
    if (operation === 'remove') {
      model.lastPosition = head
      // Going of one's own will takes everything along.
      if (other === userId) for (let each = 1; each <= head; each++) model.hidden.add(each)
      return true
    }
    for (let each = 1; each <= head; each++) {
      model.read.add(each)
      model.delivered.add(each)
      if (each > model.lastPosition) model.absent.add(each)
    }
    return true
  }

  /** As the lane does it, without a store. */
  #carryOut<Name extends keyof typeof operations>(userId: UserId, name: Name, input: object): boolean {
    const asking = { app: APP, userId, now: 1_000, maxParticipants: limits.maxParticipants }
    const decision = operations[name].operation.decide(input as never, asking, this.#known.factsFor(APP, userId))
    if ('refusal' in decision) return false
    const moves = new Ledger(this.#known, 1, 1_000).record(APP, decision.facts)
    for (const device of this.#devices) device.hear(moves)
    return true
  }

  #uuid(): Uuid {
    return uuidv7(1_000, this.#chance.bytes(10))
  }
}

interface SeenMessage {
  readonly position: number
  readonly sender: string
  readonly isDeleted: boolean
}

/** A device as far as counting goes: rows by key, the newer wins; what is hidden is not kept. */
class Device {
  readonly userId: UserId
  readonly participants = new Map<string, Extract<Row, { type: 'participant' }>>()
  readonly messages = new Map<number, SeenMessage>()
  hidden: readonly number[] = []
  #coming: Row[] = []
  readonly #sequences = new Map<string, number>()
  readonly #tamper: (row: Row) => Row

  constructor(userId: UserId, tamper: (row: Row) => Row) {
    this.userId = userId
    this.#tamper = tamper
  }

  get isLevel(): boolean {
    return this.#coming.length === 0
  }

  /** What delivery would send: the conversation's rows to who takes part, the inbox's to their owner. */
  hear(moves: readonly StreamMove[]): void {
    for (const move of moves) {
      if (move.stream === 'inbox') {
        if (move.userId !== this.userId) continue
        this.#coming.push(...move.rows.map(({ conversation, record }) => encode.membershipRow(conversation, record)))
      } else {
        // Who was away for a while pulls the same rows later; so everybody may be told everything.
        this.#coming.push(...move.rows.map((row) => encode.streamRow(row)))
      }
    }
  }

  /** So many rows arrive, and now and then one of them twice. */
  take(count: number): void {
    const rows = this.#coming.splice(0, count)
    for (const row of [...rows, ...rows.slice(-1)]) this.#apply(this.#tamper(row))
  }

  #apply(row: Row): void {
    const key = row.type === 'message' ? `m${row.position}` : row.type === 'participant' ? row.identity.id : row.type
    if ((this.#sequences.get(key) ?? 0) >= row.sequence) return
    this.#sequences.set(key, row.sequence)
    if (row.type === 'participant') this.participants.set(row.identity.user_id, row)
    if (row.type === 'membership') this.hidden = row.hidden
    if (row.type === 'message') {
      const { position, deleted_at } = row
      const sender = row.sender.slice('layer:///identities/'.length)
      this.messages.set(position, { position, sender, isDeleted: deleted_at !== null })
    }
  }
}

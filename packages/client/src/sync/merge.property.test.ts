import {
  addPositions,
  addUpTo,
  type ChangeFrame,
  type ConversationId,
  type ConversationRow,
  type IdentityId,
  type MembershipRow,
  type MessageId,
  type MessageRow,
  type ParticipantRow,
  type Row,
  type RowsFrame,
  type StreamId,
} from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../replica/memory/index.ts'
import type { Replica } from '../replica/replica.ts'
import { type Merge, mergeChange, mergeHeads, mergePage, mergePull } from './merge.ts'
import { readStoredHeads, readStoredRows } from './stored-rows.ts'
import { isBehind } from './streams.ts'

describe('merging', () => {
  it('SYNC-2 changes, pulls and pages that are lost, doubled, late and mixed end like the straight run', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 40, size: 'max' }),
        fc.array(delivery, { maxLength: 120, size: 'max' }),
        async (story, chaos) => {
          const straight = await Device.create()
          const shaken = await Device.create()
          const server = new Server()
          const underWay: Frame[] = []
          const deliveries = [...chaos]
          for (const what of story) {
            for (const frame of server.happen(what)) {
              await straight.take(frame)
              underWay.push(frame)
            }
            // A few steps of chaos between any two things that happen.
            const few = deliveries.splice(0, Math.ceil(chaos.length / story.length))
            for (const step of few) await shake(step, server, underWay, shaken)
          }
          for (const step of deliveries) await shake(step, server, underWay, shaken)
          // Back in at the end, so that there is a copy to compare.
          for (const frame of server.happen({ type: 'join', which: 0 })) await straight.take(frame)
          await straight.catchUp(server)
          await shaken.catchUp(server)
          expect(await shaken.everything()).toEqual(await straight.everything())
          // Whatever is late still changes nothing.
          for (const frame of underWay) await shaken.take(frame)
          expect(await shaken.everything()).toEqual(await straight.everything())
        },
      ),
      { numRuns: 500, examples: [OLDER_FIRST_PAGE] },
    )
  })
})

async function shake(step: Delivery, server: Server, underWay: Frame[], device: Device): Promise<void> {
  const at = underWay.length === 0 ? -1 : step.which % underWay.length
  switch (step.type) {
    case 'deliver':
      if (at >= 0) await device.take(underWay.splice(at, 1)[0]!)
      return
    case 'deliver-next':
      if (at >= 0) await device.take(underWay.shift()!)
      return
    case 'repeat':
      if (at >= 0) await device.take(underWay[at]!)
      return
    case 'lose':
      if (at >= 0) underWay.splice(at, 1)
      return
    case 'heads':
      return device.takeHeads(server.heads())
    case 'ask':
      underWay.push(...(await device.ask(server, step.which)))
  }
}

type Delivery = GeneratedBy<typeof delivery>
const delivery = fc.record({
  type: fc.constantFrom(
    ...(['deliver', 'deliver', 'deliver-next', 'deliver-next', 'repeat'] as const),
    ...(['lose', 'lose', 'lose', 'heads', 'ask', 'ask', 'ask'] as const),
  ),
  which: fc.nat(50),
})

type Happening = GeneratedBy<typeof happening>
const happening = fc.record({
  type: fc.constantFrom(
    ...([
      'send',
      'send',
      'send',
      'send',
      'send',
      'delete',
      'delete',
      'hide-message',
      'hide',
      'read',
      'rename',
    ] as const),
    ...(['leave', 'remove', 'join', 'join', 'join', 'delete-all'] as const),
  ),
  which: fc.nat(10),
})

const all = <Type extends string>(...types: Type[]) => types.map((type) => ({ type, which: 0 }))
/** Two first pages were asked for, a message was deleted between them, and the older one comes last. */
const OLDER_FIRST_PAGE: [Happening[], Delivery[]] = [
  all('send', 'leave', 'send', 'join', 'send', 'send', 'delete', 'send', 'send'),
  [
    ...all(...Array.from({ length: 9 }, () => 'deliver' as const)),
    ...all('ask'),
    { type: 'ask', which: 2 },
    ...all('repeat', 'deliver', 'deliver'),
    { type: 'ask', which: 2 },
    { type: 'deliver', which: 23 },
    ...all('deliver'),
  ],
]

type GeneratedBy<T> = T extends fc.Arbitrary<infer Value> ? Value : never

/** Something on its way to the device. */
type Frame =
  | { readonly type: 'change'; readonly frame: ChangeFrame }
  | { readonly type: 'pull'; readonly frame: RowsFrame; readonly after: number }
  | { readonly type: 'page'; readonly frame: RowsFrame; readonly before: number | null }

const at = '2026-11-22T10:00:00.000Z'
const talk = 'layer:///conversations/talk' as ConversationId
const alice = 'layer:///identities/alice' as IdentityId
const bob = 'layer:///identities/bob' as IdentityId
const ROWS_PER_FRAME = 3

/** One conversation of bob and alice and alice's inbox, as the server would have them. Alice is the device's. */
class Server {
  #sequence = 0
  #inboxSequence = 0
  #conversation: ConversationRow | undefined
  readonly #participants = new Map<IdentityId, ParticipantRow>()
  readonly #messages: MessageRow[] = []
  #membership: MembershipRow | undefined

  /** What happens, if it can now, and the changes that alice hears of it. */
  happen({ type, which }: Happening): Frame[] {
    if (!this.#conversation)
      return this.#commit([this.#created(), this.#person(alice), this.#person(bob)], this.#member('joined'))
    if (this.#conversation.deleted_at) return []
    const isIn = this.#membership!.state === 'joined' || this.#membership!.state === 'hidden'
    const message = this.#messages[which % Math.max(1, this.#messages.length)]
    switch (type) {
      case 'send':
        return this.#commit([this.#sent()], this.#membership!.state === 'hidden' ? this.#member('joined') : undefined)
      case 'rename':
        return this.#commit([{ ...this.#conversation, metadata: { name: String(which) } }])
      case 'read':
        return this.#commit([this.#read(which % 2 ? alice : bob, which)])
      case 'delete':
        if (!message || message.deleted_at) return []
        return this.#commit([{ ...message, parts: [], deleted_at: at }])
      case 'hide-message':
        return message && isIn ? this.#commit([], this.#member(this.#membership!.state, message.position)) : []
      case 'hide':
        return isIn ? this.#commit([], this.#member('hidden', this.#messages.length, 1)) : []
      case 'leave':
        return isIn
          ? this.#commit(
              [{ ...this.#participants.get(alice)!, state: 'left' }],
              this.#member('left', this.#messages.length, 1),
            )
          : []
      case 'remove':
        return isIn ? this.#commit([{ ...this.#participants.get(alice)!, state: 'left' }], this.#member('removed')) : []
      case 'join':
        return isIn ? [] : this.#commit([this.#person(alice)], this.#member('joined'))
      case 'delete-all':
        // Seldom, since nothing happens afterwards; and not while alice is out, who would never hear of it.
        return which === 0 && isIn ? this.#commit([{ ...this.#conversation, metadata: {}, deleted_at: at }]) : []
    }
  }

  get isReadable(): boolean {
    return this.#membership?.state === 'joined' || this.#membership?.state === 'hidden'
  }

  heads(): { stream: StreamId; sequence: number }[] {
    const inbox = { stream: 'inbox' as const, sequence: this.#inboxSequence }
    return this.isReadable ? [inbox, { stream: talk, sequence: this.#sequence }] : [inbox]
  }

  pull(stream: StreamId, after: number): Frame[] {
    if (stream !== 'inbox' && !this.isReadable) return [{ type: 'pull', frame: rowsFrame(stream, [], 0), after }]
    const rows = this.#rowsOf(stream).filter((row) => row.sequence > after)
    const frames: Frame[] = []
    let from = after
    for (let i = 0; i < rows.length || i === 0; i += ROWS_PER_FRAME) {
      const part = rows.slice(i, i + ROWS_PER_FRAME)
      const more = i + ROWS_PER_FRAME < rows.length
      const sequence = more ? part.at(-1)!.sequence : stream === 'inbox' ? this.#inboxSequence : this.#sequence
      frames.push({ type: 'pull', frame: rowsFrame(stream, part, sequence, more), after: from })
      from = sequence
    }
    return frames
  }

  page(before: number | null): Frame {
    if (!this.isReadable) return { type: 'page', frame: rowsFrame(talk, [], 0), before }
    const shared = before === null ? [this.#conversation!, ...this.#participants.values()] : []
    const older = this.#messages.filter((message) => before === null || message.position < before).reverse()
    const rows = [...shared, ...(this.#conversation!.deleted_at ? [] : older.slice(0, ROWS_PER_FRAME))]
    return { type: 'page', frame: rowsFrame(talk, rows, this.#sequence, older.length > ROWS_PER_FRAME), before }
  }

  /** Gives the rows their sequences, and says so on the streams that alice may hear. */
  #commit(rows: readonly (ConversationRow | ParticipantRow | MessageRow)[], membership?: MembershipRow): Frame[] {
    const wasReadable = this.isReadable
    const frames: Frame[] = []
    const after = this.#sequence
    const stamped = rows.map((row) => ({ ...row, sequence: ++this.#sequence }))
    for (const row of stamped) this.#keep(row)
    if (membership) {
      this.#membership = { ...membership, sequence: ++this.#inboxSequence }
      frames.push(changeFrame('inbox', this.#inboxSequence - 1, this.#inboxSequence, [this.#membership]))
    }
    if (stamped.length > 0 && (wasReadable || this.isReadable)) {
      frames.push(changeFrame(talk, after, this.#sequence, stamped))
    }
    return frames
  }

  #keep(row: ConversationRow | ParticipantRow | MessageRow): void {
    if (row.type === 'conversation') this.#conversation = row
    else if (row.type === 'participant') this.#participants.set(row.identity.id, row)
    else this.#messages[row.position - 1] = row
  }

  #rowsOf(stream: StreamId): Row[] {
    if (stream === 'inbox') return this.#membership ? [this.#membership] : []
    const messages = this.#conversation!.deleted_at ? [] : this.#messages
    return [this.#conversation!, ...this.#participants.values(), ...messages].sort((a, b) => a.sequence - b.sequence)
  }

  #created(): ConversationRow {
    return {
      type: 'conversation',
      sequence: 0,
      id: talk,
      created_at: at,
      distinct: false,
      metadata: {},
      deleted_at: null,
    }
  }

  #person(id: IdentityId): ParticipantRow {
    const identity = { id, user_id: id, display_name: null, avatar_url: null }
    const marks = { absent: [], delivered: [], read: this.#participants.get(id)?.read ?? [] }
    return { type: 'participant', sequence: 0, identity, state: 'active', joined_at: at, ...marks }
  }

  #read(id: IdentityId, upTo: number): ParticipantRow {
    const participant = this.#participants.get(id)!
    return { ...participant, read: addUpTo(participant.read, Math.min(upTo, this.#messages.length)) }
  }

  #sent(): MessageRow {
    const position = this.#messages.length + 1
    const id = `layer:///messages/${position}` as MessageId
    const parts = [{ mime_type: 'text/plain', body: `message ${position}` }]
    return { type: 'message', sequence: 0, id, position, sender: bob, sent_at: at, parts, deleted_at: null }
  }

  #member(state: MembershipRow['state'], hiddenTo = 0, hiddenFrom = hiddenTo): MembershipRow {
    const before = this.#membership?.hidden ?? []
    return {
      type: 'membership',
      sequence: 0,
      conversation: talk,
      state,
      hidden: hiddenTo > 0 ? addPositions(before, hiddenFrom, hiddenTo) : before,
      last_position: state === 'removed' ? this.#messages.length : null,
    }
  }
}

class Device {
  readonly #replica: Replica

  private constructor(replica: Replica) {
    this.#replica = replica
  }

  static async create(): Promise<Device> {
    return new Device(await createMemoryStorage().open('app'))
  }

  async take(arriving: Frame): Promise<void> {
    const { frame } = arriving
    const stored = await readStoredRows(this.#replica, frame.stream, frame.rows)
    if (arriving.type === 'change') await this.#commit(mergeChange(stored, arriving.frame, { storesCursor: true }))
    else if (arriving.type === 'pull') await this.#commit(mergePull(stored, arriving.frame, arriving.after))
    else await this.#commit(mergePage(stored, arriving.frame, arriving.before))
  }

  async takeHeads(streams: { stream: StreamId; sequence: number }[]): Promise<void> {
    const frame = { type: 'heads', streams, cursor: null } as const
    await this.#replica.commit(mergeHeads(await readStoredHeads(this.#replica, frame), frame), {
      durability: 'relaxed',
    })
  }

  /** What an engine might ask for now. */
  async ask(server: Server, which: number): Promise<Frame[]> {
    const talkStream = await this.#replica.get('streams', [talk])
    if (which % 4 === 0) return server.pull('inbox', (await this.#replica.get('streams', ['inbox']))?.sequence ?? 0)
    if (!talkStream) return []
    if (which % 4 === 1) return server.pull(talk, talkStream.sequence)
    return [server.page(talkStream.oldest)]
  }

  /** What an engine does until nothing is behind and the history is here. */
  async catchUp(server: Server): Promise<void> {
    await this.takeHeads(server.heads())
    await this.#pull(server, 'inbox')
    await this.takeHeads(server.heads())
    const stream = await this.#replica.get('streams', [talk])
    if (stream?.sequence === 0) await this.take(server.page(null))
    else if (stream && isBehind(stream)) await this.#pull(server, talk)
    for (;;) {
      const { complete, oldest } = (await this.#replica.get('streams', [talk])) ?? { complete: true }
      if (complete || !server.isReadable) return
      await this.take(server.page(oldest ?? null))
    }
  }

  async #pull(server: Server, id: StreamId): Promise<void> {
    const stream = await this.#replica.get('streams', [id])
    for (const frame of server.pull(id, stream?.sequence ?? 0)) await this.take(frame)
  }

  async everything(): Promise<Record<string, unknown>> {
    const tables = ['conversations', 'participants', 'memberships', 'messages', 'positions'] as const
    const rows = await Promise.all(tables.map(async (table) => [table, await this.#replica.scan(table)] as const))
    // How the copy began is its own affair.
    const streams = (await this.#replica.scan('streams')).map(({ began: _, ...stream }) => stream)
    return { streams, ...Object.fromEntries(rows) }
  }

  async #commit(merge: Merge): Promise<void> {
    if (merge.outcome !== 'ignore') await this.#replica.commit(merge.writes, { durability: 'relaxed' })
  }
}

function changeFrame(stream: StreamId, after: number, sequence: number, rows: readonly Row[]): Frame {
  return { type: 'change', frame: { type: 'change', stream, after, sequence, cursor: '1', rows } }
}

function rowsFrame(stream: StreamId, rows: readonly Row[], sequence: number, more = false): RowsFrame {
  return { type: 'rows', id: 1, stream, rows, after: 0, sequence, more, last: !more }
}

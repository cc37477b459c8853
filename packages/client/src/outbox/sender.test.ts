import type { AcknowledgementFrame, ConversationId, ErrorId, IdentityId, OperationFrame } from '@parley/protocol'
import { SeededChance, settle, VirtualClock } from '@parley/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import * as online from '../online.ts'
import { createMemoryStorage } from '../replica/memory/index.ts'
import { SerialQueue } from '../sync/serial-queue.ts'
import { Outbox } from './outbox.ts'
import { ANSWER_MS, QUIET_GUST_MS, SEND_WINDOW, Sender } from './sender.ts'

const red = 'layer:///conversations/00000000-0000-7000-8000-0000000000aa' as ConversationId

let clock: VirtualClock
let outbox: Outbox
let sender: Sender
let sent: OperationFrame[]
let failed: string[]
let last = 0

const write = async () => {
  const id = `m${++last}`
  const input = { id, conversation: red, parts: [{ mime_type: 'text/plain', body: id }] }
  await outbox.add({ id, name: 'send-message', conversation: red, input })
}
const connect = async () => {
  sent = []
  sender.start((frame) => sent.push(frame))
  await settle()
}
const answer = async (...answers: AcknowledgementFrame[]) => {
  await sender.answered(answers)
  await settle()
}
const ok = (id: string): AcknowledgementFrame => ({ type: 'acknowledgement', id, result: {}, stream: red, sequence: 0 })
const no = (id: string, error: ErrorId, retryAfterMs?: number): AcknowledgementFrame => ({
  type: 'acknowledgement',
  id,
  refusal: { id: error, code: 0, message: error, url: '' },
  ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
})
const ids = () => sent.map((frame) => frame.id)

beforeEach(async () => {
  last = 0
  sent = []
  failed = []
  clock = new VirtualClock()
  const writer = new SerialQueue()
  outbox = new Outbox({
    replica: await createMemoryStorage().open('app'),
    online: { present: online },
    writer,
    clock,
    identity: 'layer:///identities/alice' as IdentityId,
    sequenceOf: () => 0,
    onFailed: (entries) => failed.push(...entries.map((entry) => entry.id)),
    onRelabelled: () => {},
    onReady: () => sender.pump(),
  })
  sender = new Sender({
    outbox,
    clock,
    chance: new SeededChance(1),
    settle: (answers) => writer.run(() => outbox.settle(answers)),
    onBroken: (error) => {
      throw error
    },
  })
})

describe('the sender', () => {
  it('QUEUE-2 what was written offline goes out in order once there is a connection', async () => {
    for (let i = 0; i < 5; i++) await write()
    await connect()
    expect(ids()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5'])
    expect(sent.map((frame) => frame.after)).toEqual([undefined, 'm1', 'm2', 'm3', 'm4'])
  })

  it('QUEUE-5 a window of operations is under way at once, and moves on with each answer', async () => {
    for (let i = 0; i < SEND_WINDOW + 3; i++) await write()
    await connect()
    expect(sent).toHaveLength(SEND_WINDOW)
    await answer(ok('m1'), ok('m2'))
    expect(sent).toHaveLength(SEND_WINDOW + 2)
  })

  it('OPR-1 after a reconnect what is unanswered goes again, in order, under the same ids', async () => {
    for (let i = 0; i < 3; i++) await write()
    await connect()
    await answer(ok('m1'))
    sender.stop()
    await connect()
    expect(ids()).toEqual(['m2', 'm3'])
    expect(sent[0]!.after).toBeUndefined()
  })

  it('OPR-5 a refusal for the moment is waited out, and nothing overtakes', async () => {
    await write()
    await write()
    await connect()
    await answer(no('m1', 'service_unavailable', 4_000), no('m2', 'service_unavailable'))
    await write()
    sent = []
    await clock.advance(3_999)
    expect(ids()).toEqual([])
    await clock.advance(1)
    expect(ids()).toEqual(['m1', 'm2', 'm3'])
    await answer(ok('m1'), ok('m2'), ok('m3'))
    expect(outbox.waiting).toEqual([])
    expect(failed).toEqual([])
  })

  it('OPR-5 a server that stays busy is asked less and less often', async () => {
    await write()
    await connect()
    const pauses: number[] = []
    for (let i = 0; i < 8; i++) {
      await answer(no('m1', 'rate_limit_exceeded'))
      const from = clock.now()
      sent = []
      while (sent.length === 0) await clock.advance(50)
      pauses.push(clock.now() - from)
    }
    expect(Math.max(...pauses)).toBeLessThanOrEqual(30_050)
    expect(Math.max(...pauses.slice(4))).toBeGreaterThan(Math.max(...pauses.slice(0, 2)))
  })

  it('OPR-6 a final refusal lets the next one through', async () => {
    await write()
    await write()
    await connect()
    await answer(no('m1', 'access_denied'), ok('m2'))
    expect(failed).toEqual(['m1'])
    expect(outbox.waiting).toEqual([])
  })

  it('OPR-6 what is discarded as the connection comes is not sent, and what waits behind it is', async () => {
    await outbox.add({
      id: 'create',
      name: 'create-conversation',
      conversation: red,
      input: { id: red, participants: ['bob'], distinct: false },
    })
    await write()
    const discarding = outbox.discard('create')
    // The writer is at it by now, and has not committed yet.
    await Promise.resolve()
    await connect()
    expect((await discarding).map(({ id }) => id)).toEqual(['create'])
    await settle()
    expect(ids()).toEqual(['m1'])
  })

  it('OPR-1 an operation that stays unanswered is repeated on the living connection', async () => {
    await write()
    await write()
    await connect()
    sent = []
    await clock.advance(ANSWER_MS)
    expect(sent.map((frame) => [frame.id, frame.after])).toEqual([
      ['m1', undefined],
      ['m2', 'm1'],
    ])
    await clock.advance(ANSWER_MS)
    expect(sent).toHaveLength(2)
    await clock.advance(ANSWER_MS)
    expect(sent).toHaveLength(4)
  })

  it('OPR-1 an answer that comes when the repeat of another is already due does not call that repeat off', async () => {
    await write()
    await write()
    await connect()
    await clock.advance(ANSWER_MS - 1)
    sent = []
    // The timer is late, as in a background tab: an answer is heard first.
    const now = clock.now
    clock.now = () => now() + 2
    await answer(ok('m1'))
    await clock.advance(1)
    expect(ids()).toEqual(['m2'])
  })

  it('DEV-3 delivery receipts wait a moment for more of their kind', async () => {
    await connect()
    const mark = (position: number) =>
      outbox.add({
        id: `d${position}`,
        name: 'mark-messages',
        conversation: red,
        input: { conversation: red, receipt: 'delivery', position },
      })
    sender.hush()
    await mark(1)
    await mark(2)
    await settle()
    expect(ids()).toEqual([])
    await clock.advance(QUIET_GUST_MS)
    expect(ids()).toEqual(['d2'])
  })

  it('DEV-3 a receipt is not forgotten when its moment comes while the sender is looking', async () => {
    await connect()
    sender.hush()
    const before = clock.now()
    // Time stands just before the moment at the first look, and just past it at the next.
    const looks = [before + QUIET_GUST_MS - 0.1]
    const now = clock.now.bind(clock)
    clock.now = () => looks.shift() ?? Math.max(now(), before + QUIET_GUST_MS + 0.1)
    await outbox.add({
      id: 'd1',
      name: 'mark-messages',
      conversation: red,
      input: { conversation: red, receipt: 'delivery', position: 1 },
    })
    await settle()
    await clock.advance(1)
    expect(ids()).toEqual(['d1'])
  })
})

import type { MessageRow, Row } from '@parley/protocol'
import { describe, expect, test } from 'vitest'
import { type CheckId, check, checks } from './check.ts'
import type { Arrival, CopiedRow, DeviceRecord, History, Operation, StoreView } from './history.ts'

const CHAT = 'layer:///conversations/11111111-1111-4111-8111-111111111111'
const [ALICE, BEN] = ['layer:///identities/alice', 'layer:///identities/ben']

type Deep<T> = T extends string | number
  ? T
  : T extends readonly (infer Item)[]
    ? Deep<Item>[]
    : T extends object
      ? { -readonly [Name in keyof T]: Deep<T[Name]> }
      : T

/** Alice sends four messages from two devices, Ben reads two of them; one more is refused, one is unknown and arrived. */
function cleanHistory(): Deep<History> {
  const operations: Operation[] = [1, 2, 3, 4].map((position) => ({
    id: `operation ${position}`,
    device: position % 2 === 1 ? 'phone' : 'laptop',
    identity: ALICE,
    name: 'send-message',
    conversation: CHAT,
    order: position,
    invokedAt: position * 10,
    body: `text ${position}`,
    message: `message ${position}`,
    outcome: position === 4 ? { state: 'unknown' } : { state: 'ok', at: position * 10 + 5, position },
  }))
  operations.push({
    ...operations[0]!,
    id: 'operation 5',
    order: 5,
    body: 'text 5',
    message: 'message 5',
    outcome: { state: 'failed', at: 60, reason: 'too_large' },
  })
  const history = {
    operations,
    members: { [CHAT]: [ALICE, BEN] },
    store: [storeView(ALICE), storeView(BEN)],
    devices: [device('phone', ALICE), device('laptop', ALICE), device('tablet', BEN)],
    processes: [{ name: 'the server', unaskedExits: [], lines: ['Parley serves'] }],
    resources: {
      before: { rssBytes: 100e6, files: 30 },
      after: { rssBytes: 105e6, files: 31 },
      eventLoopP99Ms: 12,
    },
    bytes: [{ name: 'the log', text: 'nothing of interest', canaries: ['secret-1'] }],
    healedAt: 1_000,
    convergedAt: 1_200,
  } satisfies History
  return structuredClone(history) as unknown as Deep<History>
}

function rows(identity: string): CopiedRow[] {
  const message = (position: number): Row => ({
    type: 'message',
    sequence: 2 + position,
    id: `message ${position}` as never,
    position,
    sender: ALICE as never,
    sent_at: '2026-11-22T10:00:00.000Z',
    parts: [{ mime_type: 'text/plain', body: `text ${position}` }],
    deleted_at: null,
  })
  const participant = (id: string, sequence: number, read: number[]): Row => ({
    type: 'participant',
    sequence,
    identity: { id: id as never, user_id: id, display_name: null, avatar_url: null },
    state: 'active',
    joined_at: '2026-11-22T10:00:00.000Z',
    absent: [],
    delivered: read,
    read,
  })
  const membership: Row = {
    type: 'membership',
    sequence: 1,
    conversation: CHAT as never,
    state: 'joined',
    hidden: [],
    last_position: null,
  }
  return [
    ...[1, 2, 3, 4].map((n) => ({ stream: CHAT as never, key: `message ${n}`, row: message(n) })),
    { stream: CHAT as never, key: 'participant alice', row: participant(ALICE, 2, [1, 4]) },
    { stream: CHAT as never, key: 'participant ben', row: participant(BEN, 7, [1, 2]) },
    { stream: 'inbox' as const, key: `membership of ${identity}`, row: membership },
  ]
}

const counts = (identity: string) => ({
  unread: { [CHAT]: identity === ALICE ? 0 : 2 },
  lastMessage: { [CHAT]: 'message 4' },
})

const streams = [
  { stream: CHAT as never, sequence: 7, head: 7 },
  { stream: 'inbox' as const, sequence: 1, head: 1 },
]

const storeView = (identity: string): StoreView => ({
  identity,
  copy: { streams, rows: rows(identity) },
  ...counts(identity),
})

function device(name: string, identity: string): DeviceRecord {
  const arrival = (position: number): Arrival => ({
    at: position * 10 + 6,
    conversation: CHAT,
    position,
    message: `message ${position}`,
    isBackfill: false,
    wasOnlineSince: 0,
  })
  return {
    name,
    identity,
    copy: { streams, rows: rows(identity) },
    arrivals: [1, 2, 3, 4].map(arrival),
    shown: [1, 2, 3, 4].map((position) => ({
      conversation: CHAT,
      update: position,
      type: 'insert',
      message: `message ${position}`,
      status: 'sent',
      isSorted: true,
    })),
    ...counts(identity),
    leftInOutbox: [],
    unsettled: [],
  }
}

const asMessage = (row: Deep<Row>) => row as Deep<MessageRow>
const rowsOf = (history: Deep<History>, name: string) => history.devices.find((one) => one.name === name)!.copy.rows
const without = (list: Deep<CopiedRow>[], key: string) => {
  list.splice(
    list.findIndex((row) => row.key === key),
    1,
  )
}

test('a clean history passes', () => {
  expect(check(cleanHistory() as History)).toEqual([])
})

test('a history without a fault passes when messages arrive at once', () => {
  const history = cleanHistory()
  delete history.healedAt
  expect(check(history as History)).toEqual([])
})

type Mutation = readonly [check: CheckId, what: string, mutate: (history: Deep<History>) => void]

const mutations: readonly Mutation[] = [
  [
    'C1',
    'an acknowledged message is nowhere',
    (h) => {
      for (const { copy } of h.store) without(copy.rows, 'message 3')
    },
  ],
  ['C1', 'one device lacks an acknowledged message', (h) => without(rowsOf(h, 'tablet'), 'message 2')],
  [
    'C2',
    'a message nobody sent',
    (h) => {
      asMessage(rowsOf(h, 'phone')[3]!.row).id = 'message 99' as never
    },
  ],
  [
    'C2',
    'a refused message is there all the same',
    (h) => {
      asMessage(h.store[0]!.copy.rows[3]!.row).id = 'message 5' as never
    },
  ],
  [
    'C3',
    'one message at two positions',
    (h) => {
      asMessage(h.store[0]!.copy.rows[1]!.row).id = 'message 1' as never
    },
  ],
  [
    'C3',
    'one text in two messages',
    (h) => {
      asMessage(h.store[1]!.copy.rows[1]!.row).parts[0]!.body = 'text 1'
    },
  ],
  [
    'C4',
    'a position is another message on one device',
    (h) => {
      const [one, two] = rowsOf(h, 'tablet').map(({ row }) => asMessage(row))
      one!.position = 2
      two!.position = 1
    },
  ],
  [
    'C4',
    'a sequence is another row on one device',
    (h) => {
      const [one, two] = rowsOf(h, 'tablet')
      one!.row.sequence = 4
      two!.row.sequence = 3
    },
  ],
  [
    'C5',
    'a position is left out',
    (h) => {
      for (const { copy } of [...h.store, ...h.devices]) asMessage(copy.rows[3]!.row).position = 5
    },
  ],
  [
    'C5',
    'a device knows that it is behind',
    (h) => {
      h.devices[0]!.copy.streams[0]!.head = 8
    },
  ],
  [
    'C6',
    'two messages of one device changed places',
    (h) => {
      h.operations[0]!.order = 3
      h.operations[2]!.order = 1
    },
  ],
  [
    'C6',
    'a replica takes an older message after a newer one',
    (h) => {
      h.devices[2]!.arrivals.reverse()
    },
  ],
  [
    'C6',
    'a screen shows a list that is not in order',
    (h) => {
      h.devices[2]!.shown[2]!.isSorted = false
    },
  ],
  [
    'C7',
    'a message that was shown is taken away',
    (h) => {
      h.devices[2]!.shown.push({ ...h.devices[2]!.shown[1]!, type: 'delete' })
    },
  ],
  [
    'C7',
    'a message that was sent is pending again',
    (h) => {
      h.devices[0]!.shown.push({ ...h.devices[0]!.shown[1]!, type: 'update', status: 'pending' })
    },
  ],
  ['C7', 'a message that arrived is there no more', (h) => without(rowsOf(h, 'tablet'), 'message 4')],
  [
    'C8',
    'a row has another content on a device',
    (h) => {
      asMessage(rowsOf(h, 'tablet')[1]!.row).sent_at = '2026-11-22T10:00:00.001Z'
    },
  ],
  [
    'C8',
    'a device has a row too many',
    (h) => {
      rowsOf(h, 'tablet').push({ ...rowsOf(h, 'tablet')[5]!, key: 'participant cleo' })
    },
  ],
  [
    'C8',
    'the devices were level too late',
    (h) => {
      h.convergedAt = 6_001
    },
  ],
  [
    'C8',
    'the devices were never level',
    (h) => {
      delete h.convergedAt
    },
  ],
  [
    'C9',
    'a device counts one unread too many',
    (h) => {
      h.devices[2]!.unread[CHAT] = 3
    },
  ],
  [
    'C9',
    'the server counts one unread too few',
    (h) => {
      h.store[1]!.unread[CHAT] = 1
    },
  ],
  [
    'C9',
    'another message passes for the last one',
    (h) => {
      h.devices[0]!.lastMessage[CHAT] = 'message 3'
    },
  ],
  [
    'C10',
    'a message arrives long after the fault',
    (h) => {
      h.devices[2]!.arrivals[2]!.at = 6_100
    },
  ],
  [
    'C10',
    'a message takes two seconds though all is well',
    (h) => {
      delete h.healedAt
      h.devices[2]!.arrivals[2]!.at += 2_000
    },
  ],
  [
    'C11',
    'something is stuck in an outbox',
    (h) => {
      h.devices[1]!.leftInOutbox.push('send-message')
    },
  ],
  [
    'C11',
    'a promise never settles',
    (h) => {
      h.devices[1]!.unsettled.push('sendText')
    },
  ],
  [
    'C12',
    'memory is not given back',
    (h) => {
      h.resources!.after.rssBytes = 200e6
    },
  ],
  [
    'C12',
    'files are left open',
    (h) => {
      h.resources!.after.files = 60
    },
  ],
  [
    'C12',
    'the event loop was blocked',
    (h) => {
      h.resources!.eventLoopP99Ms = 150
    },
  ],
  [
    'C13',
    'the server ended by itself',
    (h) => {
      h.processes![0]!.unaskedExits.push('code 1')
    },
  ],
  [
    'C13',
    'the server met a bug',
    (h) => {
      h.processes![0]!.lines.push('{"message":"a bug in an operation","operation":"send-message"}')
    },
  ],
  [
    'C14',
    'a secret is in a log',
    (h) => {
      h.bytes![0]!.text += ' secret-1'
    },
  ],
]

describe('a history with a fault in it is rejected', () => {
  test.each(mutations)('%s when %s', (id, _, mutate) => {
    const history = cleanHistory()
    mutate(history)
    expect(checks[id](history as History).map((finding) => finding.check)).toContain(id)
  })

  test('every check has a mutation of its own', () => {
    expect([...new Set(mutations.map(([id]) => id))].sort()).toEqual(Object.keys(checks).sort())
  })
})

test('what an app deleted may vanish', () => {
  const history = cleanHistory()
  history.operations.push({
    ...history.operations[1]!,
    id: 'deletion',
    name: 'delete-message',
    message: 'message 2',
  })
  history.devices[2]!.shown.push({ ...history.devices[2]!.shown[1]!, type: 'delete' })
  expect(checks.C7(history as History)).toEqual([])
})

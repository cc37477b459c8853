import { describe, expect, it } from 'vitest'
import {
  alice,
  at,
  bob,
  conversation,
  conversationNamed,
  deletedMessage,
  dropped,
  entry,
  failed,
  identityNamed,
  membership,
  message,
  messageNamed,
  operationNamed,
  participant,
  person,
  sending,
  stream,
  talk,
  talkWith,
} from '../../test/support/rows.ts'
import { createViewDevice, type ViewDevice } from '../../test/support/view-device.ts'
import type { ConversationView } from '../view/conversation-view.ts'
import type { MessageView } from '../view/message-view.ts'
import type { LiveQuery } from './live-query.ts'

const other = conversationNamed('2')

/** So many steps of others in between. */
async function passes(steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) await null
}

describe('a conversation', () => {
  it('CONV-5 shows its row, who takes part, and its newest message', async () => {
    const device = await createViewDevice(talkWith(2), conversation({ metadata: { title: 'Tea' }, distinct: true }))
    expect(await only(device)).toMatchObject({
      id: talk,
      createdAt: new Date(at(0)),
      participants: [{ id: alice, userId: 'alice', displayName: 'Alice', avatarUrl: null }, { id: bob }],
      participantCount: 2,
      distinct: true,
      metadata: { title: 'Tea' },
      lastMessage: { position: 2, sender: { id: bob } },
      unreadCount: 2,
      state: 'synced',
      history: 'complete',
      isDeleted: false,
    })
  })

  it('names only who takes part now, in the order they joined, and knows the others as senders', async () => {
    const device = await createViewDevice(
      talkWith(0),
      participant('cleo', { joined_at: at(2) }),
      participant('aaron', { joined_at: at(1) }),
      participant('bob', { state: 'left' }),
      message(1),
    )
    const found = await only(device)
    expect(found.participants.map((who) => who.userId)).toEqual(['alice', 'aaron', 'cleo'])
    expect(found.lastMessage?.sender.displayName).toBe('Bob')
  })

  it('tells how far its history reaches, whatever was committed while it was first looked at', async () => {
    for (let steps = 0; steps < 40; steps++) {
      const device = await createViewDevice(
        conversation(),
        membership('joined'),
        stream({ oldest: 3, complete: false }),
      )
      const query = device.views.conversations()
      await passes(steps)
      await device.commit(stream({ oldest: 1, complete: true }))
      await passes(300)
      expect(query.snapshot()).toMatchObject([{ history: 'complete' }])
      await device.commit(stream({ oldest: 3, complete: false }))
      await passes(300)
      expect(query.snapshot()).toMatchObject([{ history: 'partial' }])
    }
  })

  it('tells how far its history reaches when another table was emptied in the same commit', async () => {
    const device = await createViewDevice(talkWith(0), stream({ oldest: 3, complete: false }))
    const query = device.views.conversations()
    await query.ready
    await device.commit({ type: 'delete-all', table: 'messages', prefix: [] }, stream({ oldest: 1, complete: true }))
    await passes(200)
    expect(query.snapshot()).toMatchObject([{ history: 'complete' }])
    await device.commit(stream({ oldest: 3, complete: false }))
    await passes(200)
    expect(query.snapshot()).toMatchObject([{ history: 'partial' }])
  })

  it('tells how far its history reaches when that was forgotten and is again as it was', async () => {
    const device = await createViewDevice(conversation(), membership('joined'), stream({ oldest: 3, complete: false }))
    const query = device.views.conversations()
    await query.ready
    await device.commit({ type: 'delete', table: 'streams', key: [talk] })
    await passes(300)
    await device.commit(stream({ oldest: 3, complete: false }))
    await passes(300)
    expect(query.snapshot()).toMatchObject([{ history: 'partial' }])
  })

  it('is partial as long as its history is not here', async () => {
    const device = await createViewDevice(talkWith(3), stream({ oldest: 2, complete: false }))
    const query = device.views.conversations()
    await query.ready
    expect(query.snapshot()[0]).toMatchObject({ history: 'partial', unreadCount: 2 })
    await device.commit(stream({ oldest: 1, complete: true }))
    await changed(query)
    expect(query.snapshot()[0]).toMatchObject({ history: 'complete', unreadCount: 3 })
  })

  it.each([
    ['CNV-3 deleted for all', conversation({ deleted_at: at(5) })],
    ['CNV-5 left', membership('left')],
    ['CNV-4 hidden with all its messages', membership('hidden', { hidden: [1, 2] })],
  ])('%s is not found', async (_name, write) => {
    const device = await createViewDevice(talkWith(2), write)
    expect(await conversations(device)).toEqual([])
    expect(await messages(device)).toEqual([])
  })

  it('CNV-4 hidden, it is back with the next message as its first', async () => {
    const device = await createViewDevice(talkWith(2), membership('hidden', { hidden: [1, 2] }), message(3))
    expect(await only(device)).toMatchObject({ lastMessage: { position: 3 }, unreadCount: 1 })
    expect(await bodies(device)).toEqual(['message 3'])
  })

  it('CNV-6 from which I was removed stays readable up to the last position', async () => {
    const device = await createViewDevice(talkWith(3), membership('removed', { last_position: 2 }))
    expect(await only(device)).toMatchObject({ state: 'removed', lastMessage: { position: 2 }, unreadCount: 2 })
    expect(await bodies(device)).toEqual(['message 1', 'message 2'])
  })

  it('DEL-3 that was deleted can still be looked at by its id', async () => {
    const device = await createViewDevice(talkWith(0), conversation({ deleted_at: at(5) }))
    expect(await device.views.conversation(talk)).toMatchObject({ isDeleted: true })
    expect(await device.views.conversation(other)).toBeNull()
  })

  it('of which only the membership is here is not found yet', async () => {
    const device = await createViewDevice(membership('joined'))
    expect(await conversations(device)).toEqual([])
  })
})

describe('unread', () => {
  it('RCT-5 counts live messages by others that are neither read nor hidden', async () => {
    const device = await createViewDevice(
      talkWith(8),
      message(2, { sender: alice }),
      deletedMessage(3),
      participant('alice', { read: [1, 1, 6, 6] }),
      membership('joined', { hidden: [4, 4] }),
    )
    // Left: 5, 7 and 8.
    expect((await only(device)).unreadCount).toBe(3)
    const unread = (await messages(device)).filter((found) => found.isUnread).map((found) => found.position)
    expect(unread).toEqual([5, 7, 8])
  })

  it('RCT-3 messages from before one joined are not unread', async () => {
    const device = await createViewDevice(
      talkWith(3),
      participant('alice', { absent: [1, 2], delivered: [1, 2], read: [1, 2] }),
    )
    expect((await only(device)).unreadCount).toBe(1)
  })

  it('P4 a mark that waits in the outbox counts at once, and once only', async () => {
    const device = await createViewDevice(talkWith(3))
    const query = device.views.conversations()
    await query.ready
    await device.commit(entry(1, 'mark-messages', { receipt: 'read', position: 2 }))
    await changed(query)
    expect(query.snapshot()[0]?.unreadCount).toBe(1)
    const before = query.snapshot()
    await device.commit(participant('alice', { read: [1, 2], delivered: [1, 2] }), dropped(1))
    await device.views.conversation(talk)
    expect(query.snapshot()).toBe(before)
  })

  it('a mark of one message leaves the others unread', async () => {
    const device = await createViewDevice(
      talkWith(3),
      entry(1, 'mark-messages', { receipt: 'read', position: 2, only: true }),
    )
    expect((await messages(device)).map((found) => found.isUnread)).toEqual([true, false, true])
  })

  it('a delivery receipt reads nothing', async () => {
    const device = await createViewDevice(talkWith(3), entry(1, 'mark-messages', { receipt: 'delivery', position: 3 }))
    expect((await only(device)).unreadCount).toBe(3)
  })
})

describe('a message', () => {
  it('shows its row', async () => {
    const device = await createViewDevice(
      talkWith(0),
      message(1, { parts: [{ mime_type: 'image/png', body: 'AAAA', encoding: 'base64' }] }),
    )
    expect(await messages(device)).toEqual([
      {
        id: messageNamed(1),
        conversationId: talk,
        position: 1,
        sender: { id: bob, userId: 'bob', displayName: 'Bob', avatarUrl: null },
        sentAt: new Date(at(1)),
        createdAt: new Date(at(1)),
        parts: [{ mimeType: 'image/png', body: 'AAAA', encoding: 'base64' }],
        status: 'sent',
        operationId: null,
        error: null,
        recipientStatus: { [alice]: 'sent', [bob]: 'read' },
        deliveryStatus: 'all',
        readStatus: 'all',
        isUnread: true,
        isOwn: false,
      },
    ])
  })

  it('by somebody who is not known here has at least an id', async () => {
    const device = await createViewDevice(talkWith(0), message(1, { sender: identityNamed('who%40x') }))
    expect((await messages(device))[0]?.sender).toMatchObject({ userId: 'who@x', displayName: null })
  })

  it('that was deleted is not shown', async () => {
    const device = await createViewDevice(talkWith(3), deletedMessage(2))
    expect(await bodies(device)).toEqual(['message 1', 'message 3'])
  })

  it.each([
    ['nobody', {}, {}, 'none', 'none'],
    ['one who has it', { delivered: [1, 1] }, {}, 'some', 'none'],
    ['all who have it', { delivered: [1, 1] }, { delivered: [1, 1] }, 'all', 'none'],
    ['one who read it', { delivered: [1, 1], read: [1, 1] }, {}, 'some', 'some'],
    ['all who read it', { delivered: [1, 1], read: [1, 1] }, { delivered: [1, 1], read: [1, 1] }, 'all', 'all'],
    ['one who has left', { delivered: [1, 1], read: [1, 1] }, { state: 'left' }, 'all', 'all'],
    ['one who came later', { delivered: [1, 1], read: [1, 1] }, { absent: [1, 1], read: [1, 1] }, 'all', 'all'],
  ] as const)('RCPT-7 with %s', async (_name, bobs, cleos, deliveryStatus, readStatus) => {
    const device = await createViewDevice(
      talkWith(0),
      message(1, { sender: alice }),
      participant('bob', bobs),
      participant('cleo', cleos),
    )
    expect((await messages(device))[0]).toMatchObject({ deliveryStatus, readStatus, isOwn: true, isUnread: false })
  })

  it('RCPT-7 alone in a conversation, nobody has it', async () => {
    const device = await createViewDevice(conversation(), participant('alice'), message(1, { sender: alice }))
    expect((await messages(device))[0]).toMatchObject({ deliveryStatus: 'none', readStatus: 'none' })
  })

  it('RCPT-1 knows how far it got with each recipient', async () => {
    const device = await createViewDevice(
      talkWith(0),
      message(1, { sender: alice }),
      participant('bob', { delivered: [1, 1] }),
      participant('cleo', { absent: [1, 1] }),
    )
    expect((await messages(device))[0]?.recipientStatus).toEqual({ [alice]: 'read', [bob]: 'delivered' })
  })
})

describe('send-message in the outbox', () => {
  it('DB-2 the message is there at once, after the confirmed ones and in outbox order', async () => {
    const device = await createViewDevice(talkWith(1), sending(8, 'second'), sending(7, 'first'))
    const found = await messages(device)
    expect(found.map((each) => each.parts[0]?.body)).toEqual(['message 1', 'first', 'second'])
    expect(found[1]).toMatchObject({
      position: null,
      sentAt: null,
      createdAt: new Date(at(50)),
      status: 'pending',
      operationId: operationNamed(7),
      sender: { displayName: 'Alice' },
      recipientStatus: {},
      readStatus: 'none',
      isOwn: true,
      isUnread: false,
    })
    expect(await only(device)).toMatchObject({ lastMessage: { status: 'pending' }, unreadCount: 1 })
  })

  it('DB-3 refused, it stays as failed and says why', async () => {
    const device = await createViewDevice(talkWith(0), sending(1, 'no', { state: failed }))
    const operationId = operationNamed(1)
    expect(await messages(device)).toMatchObject([{ status: 'failed', operationId, error: { id: 'access_denied' } }])
  })

  it('acknowledged before its row is here, it has its place and its time', async () => {
    const device = await createViewDevice(
      talkWith(3),
      sending(1, 'mine', {
        state: { state: 'acknowledged', stream: talk, sequence: 9, result: { position: 4, sent_at: at(4) } },
      }),
      sending(2, 'waiting'),
    )
    const found = await messages(device)
    expect(found.map((each) => each.position)).toEqual([1, 2, 3, 4, null])
    expect(found[3]).toMatchObject({
      status: 'sent',
      operationId: null,
      sentAt: new Date(at(4)),
      deliveryStatus: 'none',
    })
    expect(found[3]?.recipientStatus).toEqual({ [alice]: 'read', [bob]: 'sent' })
  })

  it('OPR-4 confirmed, it is its row, whether or not its entry is still there', async () => {
    const device = await createViewDevice(talkWith(1), sending(1))
    const query = device.views.messages(talk)
    await query.ready
    const [, pending] = query.snapshot()
    await device.commit(message(2, { id: messageNamed('901'), sender: alice }))
    await changed(query)
    expect(query.snapshot().map((found) => [found.id, found.status])).toEqual([
      [query.snapshot()[0]!.id, 'sent'],
      [pending!.id, 'sent'],
    ])
    const before = query.snapshot()
    await device.commit(dropped(1))
    await settled()
    expect(query.snapshot()).toBe(before)
  })

  it('brings a conversation back that was deleted from my devices', async () => {
    const device = await createViewDevice(
      talkWith(2),
      membership('hidden', { hidden: [1, 2] }),
      sending(1, 'hello again'),
    )
    expect(await only(device)).toMatchObject({ lastMessage: { status: 'pending' } })
    expect(await bodies(device)).toEqual(['hello again'])
  })
})

describe('create-conversation in the outbox', () => {
  const creating = (order: number, state = {}) =>
    entry(
      order,
      'create-conversation',
      { id: talk, participants: ['bob', identityNamed('cleo')], distinct: true, metadata: { a: 'b' } },
      state,
    )

  it('P2 it is there at once, with its messages', async () => {
    const device = await createViewDevice(creating(1), sending(2, 'hello'))
    const found = await only(device)
    expect(found).toMatchObject({
      state: 'pending',
      createdAt: null,
      distinct: true,
      metadata: { a: 'b' },
      unreadCount: 0,
    })
    expect(found.participants.map((who) => [who.userId, who.displayName])).toEqual([
      ['alice', 'Alice'],
      ['bob', null],
      ['cleo', null],
    ])
    expect(found.lastMessage).toMatchObject({ sender: { displayName: 'Alice' }, status: 'pending' })
  })

  it('knows the names of those one has met in other conversations', async () => {
    const device = await createViewDevice(talkWith(1, other), creating(1))
    const [found] = await conversations(device)
    expect(found).toMatchObject({ state: 'pending', participants: [{}, { displayName: 'Bob' }, { displayName: null }] })
  })

  it('refused, it is gone, and its messages can still be read as failed', async () => {
    const device = await createViewDevice(creating(1, { state: failed }), sending(2, 'hello', { state: failed }))
    expect(await conversations(device)).toEqual([])
    expect(await messages(device)).toMatchObject([{ status: 'failed' }])
  })

  it('confirmed, it is its row', async () => {
    const device = await createViewDevice(creating(1))
    const query = device.views.conversations()
    await query.ready
    await device.commit(conversation(), participant('alice'), participant('bob'))
    await changed(query)
    expect(query.snapshot()).toMatchObject([{ state: 'synced', createdAt: new Date(at(0)), participantCount: 2 }])
  })

  it('DIST-3 when another one was found, what was written for it belongs to that one', async () => {
    const device = await createViewDevice(talkWith(1, other), creating(1), sending(2, 'hello'))
    const list = device.views.conversations()
    const [mine, found] = [device.views.messages(talk), device.views.messages(other)]
    await Promise.all([list.ready, mine.ready, found.ready])
    expect(list.snapshot()).toHaveLength(2)
    await device.commit(
      entry(1, 'create-conversation', { id: other, participants: ['bob'], distinct: true }, { conversation: other }),
      sending(2, 'hello', { conversation: other }),
    )
    await Promise.all([changed(list), changed(mine), changed(found)])
    expect(list.snapshot().map((each) => each.id)).toEqual([other])
    expect(mine.snapshot()).toEqual([])
    expect(found.snapshot().map((each) => each.parts[0]?.body)).toEqual(['message 1', 'hello'])
  })

  it('finds again a distinct one that was deleted from my devices', async () => {
    const device = await createViewDevice(talkWith(1), membership('hidden', { hidden: [1, 1] }), creating(1))
    expect(await only(device)).toMatchObject({ lastMessage: null })
  })
})

describe('update-conversation in the outbox', () => {
  const updating = (order: number, patch: object[], state = {}) =>
    entry(order, 'update-conversation', { patch: patch as never }, state)
  const rename = { operation: 'set', property: 'metadata.title', value: 'Tea' }

  it('changes metadata and people at once', async () => {
    const device = await createViewDevice(
      talkWith(0),
      conversation({ distinct: true }),
      updating(1, [rename, { operation: 'add', property: 'participants', id: identityNamed('cleo') }]),
    )
    const found = await only(device)
    expect(found).toMatchObject({ metadata: { title: 'Tea' }, distinct: false, participantCount: 3 })
    expect(found.participants[2]).toMatchObject({ userId: 'cleo' })
  })

  it('CNV-2 keeps a conversation distinct that only changes its metadata', async () => {
    const device = await createViewDevice(talkWith(0), conversation({ distinct: true }), updating(1, [rename]))
    expect(await only(device)).toMatchObject({ distinct: true })
  })

  it('DB-3 refused, it undoes exactly itself', async () => {
    const device = await createViewDevice(
      talkWith(0),
      updating(1, [rename], { state: failed }),
      updating(2, [{ operation: 'set', property: 'metadata.colour', value: 'red' }]),
    )
    expect((await only(device)).metadata).toEqual({ colour: 'red' })
  })

  it('that the server is bound to refuse changes nothing', async () => {
    const device = await createViewDevice(
      talkWith(0),
      updating(1, [rename, { operation: 'set', property: 'name', value: 'x' }]),
    )
    expect((await only(device)).metadata).toEqual({})
  })

  it('with which I take myself out, it is gone from my devices', async () => {
    const device = await createViewDevice(
      talkWith(1),
      updating(1, [{ operation: 'remove', property: 'participants', id: alice }]),
    )
    expect(await conversations(device)).toEqual([])
  })
})

describe('delete-conversation in the outbox', () => {
  const deleting = (order: number, mode: 'all_participants' | 'my_devices', leave = false, state = {}) =>
    entry(order, 'delete-conversation', { mode, leave }, state)

  it.each([
    ['for all', 'all_participants', false],
    ['from my devices', 'my_devices', false],
    ['by leaving', 'my_devices', true],
  ] as const)('DEL-7 %s: it is gone at once, and back if that was refused', async (_name, mode, leave) => {
    const device = await createViewDevice(talkWith(2), sending(1), deleting(2, mode, leave))
    expect(await conversations(device)).toEqual([])
    expect(await messages(device)).toEqual([])
    await device.commit(deleting(2, mode, leave, { state: failed }))
    expect(await bodies(device)).toEqual(['message 1', 'message 2', 'pending 1'])
    expect(await conversations(device)).toHaveLength(1)
  })

  it('CNV-4 from my devices: a message written afterwards brings it back as its first', async () => {
    const device = await createViewDevice(talkWith(2), deleting(1, 'my_devices'), sending(2, 'hello again'))
    expect(await bodies(device)).toEqual(['hello again'])
    expect(await only(device)).toMatchObject({ unreadCount: 0, lastMessage: { status: 'pending' } })
  })
})

describe('delete-message in the outbox', () => {
  const deleting = (order: number, id: string, state = {}) =>
    entry(order, 'delete-message', { message: id, mode: 'all_participants' }, state)

  it('the message is gone at once, from the list, the count and the last place', async () => {
    const last = `${messageNamed('00013')}`
    const device = await createViewDevice(talkWith(3), deleting(1, last))
    expect(await bodies(device)).toEqual(['message 1', 'message 2'])
    expect(await only(device)).toMatchObject({ unreadCount: 2, lastMessage: { position: 2 } })
    expect(await device.views.message(talk, messageNamed('00013'))).toBeNull()
  })

  it('may name the message by its bare id', async () => {
    const device = await createViewDevice(
      talkWith(1),
      deleting(1, messageNamed('00011').slice('layer:///messages/'.length)),
    )
    expect(await messages(device)).toEqual([])
  })

  it('takes a message out that was not sent yet', async () => {
    const device = await createViewDevice(talkWith(0), sending(1), deleting(2, messageNamed('901')))
    expect(await messages(device)).toEqual([])
  })

  it('DB-3 refused, the message is back', async () => {
    const device = await createViewDevice(talkWith(1), deleting(1, messageNamed('00011'), { state: failed }))
    expect(await bodies(device)).toEqual(['message 1'])
  })
})

describe('a query of messages', () => {
  it('QCTL-5 shows the newest of its window, those in the outbox included', async () => {
    const device = await createViewDevice(talkWith(60), deletedMessage(58), sending(1), sending(2))
    const query = device.views.messages(talk, { window: 4 })
    await query.ready
    expect(query.snapshot().map((found) => found.position)).toEqual([59, 60, null, null])
    expect(query.hasMore).toBe(true)
    await query.loadMore(2)
    expect(query.snapshot().map((found) => found.position)).toEqual([56, 57, 59, 60, null, null])
    await query.setWindow(100)
    expect(query.snapshot()).toHaveLength(61)
    expect([query.total, query.hasMore]).toEqual([61, false])
  })

  it('goes on beyond a long run of deleted messages', async () => {
    const gone = Array.from({ length: 40 }, (_, i) => deletedMessage(i + 11)).flat()
    const device = await createViewDevice(talkWith(10), ...[gone])
    const query = device.views.messages(talk, { window: 2 })
    await query.ready
    expect(query.snapshot().map((found) => found.position)).toEqual([9, 10])
    expect((await only(device)).lastMessage?.position).toBe(10)
  })

  it('keeps its objects when another message arrives', async () => {
    const device = await createViewDevice(talkWith(3))
    const query = device.views.messages(talk)
    await query.ready
    const before = query.snapshot()
    await device.commit(message(4))
    await changed(query)
    expect(
      query
        .snapshot()
        .slice(0, 3)
        .every((found, i) => found === before[i]),
    ).toBe(true)
  })

  it('hears nothing of other conversations', async () => {
    const device = await createViewDevice(talkWith(1), talkWith(1, other))
    const query = device.views.messages(talk)
    await query.ready
    const reads = device.reads()
    await device.commit(message(2, { conversation: other, id: messageNamed('x2') }))
    await settled()
    expect(device.reads()).toBe(reads)
  })
})

describe('a query of conversations', () => {
  const third = conversationNamed('3')
  it('QUERY-16 is sorted by the last message or by creation, newest first', async () => {
    const device = await createViewDevice(...threeConversations())
    expect((await conversations(device)).map((found) => found.id)).toEqual([talk, third, other])
    expect((await conversations(device, { sortBy: 'createdAt' })).map((found) => found.id)).toEqual([
      third,
      other,
      talk,
    ])
  })

  it('what waits in the outbox is on top, a message that failed long ago is not', async () => {
    const device = await createViewDevice(
      ...threeConversations(),
      sending(1, 'old', { conversation: other, state: failed, createdAt: at(1) }),
    )
    const query = device.views.conversations()
    await query.ready
    expect(query.snapshot().map((found) => found.id)).toEqual([talk, third, other])
    await device.commit(sending(2, 'new', { conversation: other, createdAt: at(1) }))
    await changed(query)
    expect(query.snapshot().map((found) => found.id)).toEqual([other, talk, third])
  })

  it('a conversation that gets a message moves to the top, and that is the only change', async () => {
    const device = await createViewDevice(...threeConversations())
    const query = device.views.conversations()
    await query.ready
    const steps: string[] = []
    query.subscribe(({ changes }) =>
      steps.push(...changes.map((change) => `${change.type} ${change.item.id.slice(-1)}`)),
    )
    await device.commit(message(1, { conversation: other, id: messageNamed('88'), sent_at: at(40) }))
    await changed(query)
    expect(steps).toEqual(['move 2'])
  })

  it('finds what its predicate says, and counts it', async () => {
    const device = await createViewDevice(...threeConversations())
    const query = device.views.conversations({ predicate: (found) => found.unreadCount > 0, window: 1 })
    await query.ready
    expect(query.snapshot().map((found) => found.id)).toEqual([talk])
    expect([query.total, query.hasMore]).toEqual([2, true])
  })

  it('QUERY-2 leaves empty ones out if asked to', async () => {
    const device = await createViewDevice(...threeConversations())
    expect((await conversations(device, { includeEmpty: false })).map((found) => found.id)).toEqual([talk, third])
  })

  it('may be about one conversation only', async () => {
    const device = await createViewDevice(...threeConversations())
    const query = device.views.conversations({ id: other })
    await query.ready
    expect(query.snapshot().map((found) => found.id)).toEqual([other])
  })

  it('reads again only what was touched', async () => {
    const many = Array.from({ length: 40 }, (_, i) => talkWith(1, conversationNamed(String(i + 100))))
    const device = await createViewDevice(...many)
    const query = device.views.conversations()
    await query.ready
    const before = query.snapshot()
    const reads = device.reads()
    await device.commit(message(2, { conversation: conversationNamed('120'), id: messageNamed('m2') }))
    await changed(query)
    expect(device.reads() - reads).toBeLessThan(10)
    expect(query.snapshot().filter((found) => !before.includes(found))).toHaveLength(1)
  })

  it('a predicate that throws is reported, and the query goes on', async () => {
    const device = await createViewDevice(talkWith(1))
    let isBroken = true
    const query = device.views.conversations({
      predicate: () => {
        if (isBroken) throw new Error('a bug of the app')
        return true
      },
    })
    await expect(query.ready).rejects.toThrow('a bug of the app')
    expect(device.errors).toHaveLength(1)
    isBroken = false
    await device.commit(message(2))
    await changed(query)
    expect(query.snapshot()).toHaveLength(1)
  })

  function threeConversations() {
    return [talk, other, third].map((id, i) => [
      ...talkWith(0, id),
      conversation({ id, created_at: at(i) }),
      ...(id === other ? [] : message(1, { conversation: id, id: messageNamed(`7${i}`), sent_at: at(30 - i) })),
    ])
  }
})

describe('whoever is signed in', () => {
  it('AUTH-14 nobody: every query is empty', async () => {
    const device = await createViewDevice(talkWith(2))
    const [list, inside] = [device.views.conversations(), device.views.messages(talk)]
    await Promise.all([list.ready, inside.ready])
    device.show(device.replica, undefined)
    await Promise.all([changed(list), changed(inside)])
    expect([list.snapshot(), inside.snapshot()]).toEqual([[], []])
    expect(await device.views.conversation(talk)).toBeNull()
    expect(await device.views.message(talk, messageNamed(1))).toBeNull()
  })

  it('somebody else: the same query shows theirs', async () => {
    const device = await createViewDevice(talkWith(2))
    const hers = await createViewDevice(talkWith(1, other))
    const list = device.views.conversations()
    await list.ready
    device.show(hers.replica, person('cleo'))
    await changed(list)
    expect(list.snapshot().map((found) => found.id)).toEqual([other])
  })

  it('a replica that closes while it is looked at is no news', async () => {
    const device = await createViewDevice(talkWith(2))
    const list = device.views.conversations()
    await list.ready
    const before = list.snapshot()
    await device.replica.close()
    device.show(device.replica, { ...person('alice'), display_name: 'Alice the second' })
    await settled()
    expect(device.errors).toEqual([])
    expect(list.snapshot()).toBe(before)
  })

  it('closing the views ends their queries', async () => {
    const device = await createViewDevice(talkWith(2))
    const list = device.views.conversations()
    await list.ready
    const before = list.snapshot()
    device.views.close()
    await device.commit(message(3))
    await settled()
    expect(list.snapshot()).toBe(before)
  })
})

async function conversations(device: ViewDevice, options = {}): Promise<readonly ConversationView[]> {
  const query = device.views.conversations(options)
  await query.ready
  query.close()
  return query.snapshot()
}

async function only(device: ViewDevice): Promise<ConversationView> {
  const found = await conversations(device)
  expect(found).toHaveLength(1)
  return found[0]!
}

async function messages(device: ViewDevice): Promise<readonly MessageView[]> {
  const query = device.views.messages(talk)
  await query.ready
  query.close()
  return query.snapshot()
}

const bodies = async (device: ViewDevice) => (await messages(device)).map((found) => found.parts[0]?.body)

/** The query's next change, or the one it made since it was last looked at. */
function changed<T>(query: LiveQuery<T>): Promise<void> {
  return new Promise((resolve) => {
    const leave = query.subscribe(() => {
      leave()
      resolve()
    })
  })
}

/** Until nothing more happens by itself: promises only, there are no timers here. */
async function settled(): Promise<void> {
  for (let i = 0; i < 200; i++) await null
}

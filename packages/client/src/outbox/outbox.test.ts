import type { ConversationId, IdentityId, StreamId, WireError } from '@parley/protocol'
import { VirtualClock } from '@parley/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import * as online from '../online.ts'
import { OutboxMirror } from '../queries/outbox-mirror.ts'
import { createMemoryStorage } from '../replica/memory/index.ts'
import { type OutboxEntry, type Replica, ReplicaError } from '../replica/replica.ts'
import { SerialQueue } from '../sync/serial-queue.ts'
import type { Draft } from './drafting.ts'
import { Outbox } from './outbox.ts'
import { listUnsent } from './stored-entries.ts'

const alice = 'layer:///identities/alice' as IdentityId
const red = 'layer:///conversations/00000000-0000-7000-8000-0000000000aa' as ConversationId
const blue = 'layer:///conversations/00000000-0000-7000-8000-0000000000bb' as ConversationId
const denied: WireError = { id: 'access_denied', code: 101, message: 'No.', url: '' }

let last = 0
const message = (conversation = red): Draft<'send-message'> => {
  const id = `message-${++last}`
  return {
    id,
    name: 'send-message',
    conversation,
    input: { id, conversation, parts: [{ mime_type: 'text/plain', body: id }] },
  }
}
const create = (conversation = red): Draft<'create-conversation'> => ({
  id: `create-${conversation}`,
  name: 'create-conversation',
  conversation,
  input: { id: conversation, participants: ['bob'], distinct: true },
})
const read = (position: number): Draft<'mark-messages'> => ({
  id: `read-${++last}`,
  name: 'mark-messages',
  conversation: red,
  input: { conversation: red, receipt: 'read', position },
})

let replica: Replica
let outbox: Outbox
let failed: OutboxEntry[]
let relabelled: [string, string][]
let sequences: Map<StreamId, number>

const open = async (over: Replica = replica) => {
  const made = new Outbox({
    replica: over,
    online: { present: online },
    writer: new SerialQueue(),
    clock: new VirtualClock(),
    identity: alice,
    sequenceOf: (stream) => sequences.get(stream) ?? 0,
    onFailed: (entries) => failed.push(...entries),
    onRelabelled: (from, to) => relabelled.push([from, to]),
    onReady: () => {},
  })
  await made.load()
  return made
}

beforeEach(async () => {
  last = 0
  failed = []
  relabelled = []
  sequences = new Map()
  replica = await createMemoryStorage().open('app')
  outbox = await open()
})

const ids = async () => (await listUnsent(replica)).map((entry) => entry.id)
const acknowledge = (id: string, more: object = {}) =>
  outbox.settle([{ type: 'acknowledgement', id, result: {}, stream: red, sequence: 5, ...more }])
const refuse = (id: string) => outbox.settle([{ type: 'acknowledgement', id, refusal: denied }])

describe('the outbox', () => {
  it('QUEUE-2 an entry is durable when the call returns, and there after a restart, in order', async () => {
    await Promise.all([outbox.add(message()), outbox.add(message()), outbox.add(message(blue))])
    outbox = await open()
    expect(await ids()).toEqual(['message-1', 'message-2', 'message-3'])
    await outbox.add(message())
    expect(await ids()).toEqual(['message-1', 'message-2', 'message-3', 'message-4'])
  })

  it('QUEUE-2 calls made at once share one strict commit', async () => {
    const commits: string[] = []
    outbox = await open({ ...counting(replica, commits) })
    await Promise.all(Array.from({ length: 50 }, () => outbox.add(message())))
    expect(commits.length).toBeLessThanOrEqual(2)
    expect(new Set(commits)).toEqual(new Set(['strict']))
  })

  it('QUEUE-1 without room on the device the call fails loudly and nothing is kept', async () => {
    const full = async () => {
      throw new ReplicaError('full', 'No room.')
    }
    outbox = await open(Object.assign(Object.create(replica) as Replica, passing(replica), { commit: full }))
    await expect(outbox.add(message())).rejects.toMatchObject({ code: 'storage_full' })
    expect(outbox.waiting).toEqual([])
  })

  it('OPR-4 an acknowledged entry stays until its stream has reached the sequence', async () => {
    const placed = await outbox.add(message())
    await acknowledge(placed.id, { result: { position: 3 } })
    expect(await placed.acknowledged).toEqual({ result: { position: 3 }, conversation: red })
    expect(outbox.waiting).toEqual([])
    expect(outbox.settledBy(red, 4)).toEqual([])
    const writes = outbox.settledBy(red, 5)
    expect(writes).toHaveLength(1)
    await replica.commit(writes, { durability: 'relaxed' })
    outbox.dropSettled(red, 5)
    expect(await replica.count('outbox')).toBe(0)
    expect(outbox.settledBy(red, 99)).toEqual([])
  })

  it('OPR-4 an acknowledgement of what the stream has reached already drops the entry at once', async () => {
    sequences.set(red, 5)
    const placed = await outbox.add(message())
    await acknowledge(placed.id)
    expect(await replica.count('outbox')).toBe(0)
  })

  it('OPR-1 a second acknowledgement changes nothing', async () => {
    const placed = await outbox.add(message())
    await acknowledge(placed.id)
    await refuse(placed.id)
    expect(failed).toEqual([])
  })

  it('OPR-6 a refusal marks that entry in place and leaves the others alone', async () => {
    const [first] = await Promise.all([outbox.add(message()), outbox.add(message())])
    await refuse(first.id)
    await expect(first.acknowledged).rejects.toMatchObject({ code: 'refused', refusal: denied })
    expect(failed.map((entry) => entry.id)).toEqual(['message-1'])
    expect(outbox.waiting.map((entry) => entry.id)).toEqual(['message-2'])
    await outbox.retry(first.id)
    expect(outbox.waiting.map((entry) => entry.id)).toEqual(['message-1', 'message-2'])
  })

  it('OPR-6 a discarded entry is gone, and whoever waited for it is told', async () => {
    const placed = await outbox.add(message())
    expect((await outbox.discard(placed.id)).map((entry) => entry.id)).toEqual(['message-1'])
    await expect(placed.acknowledged).rejects.toMatchObject({ code: 'discarded' })
    expect(await replica.count('outbox')).toBe(0)
  })

  it('OPR-6 what is under way cannot be discarded: it may have been carried out', async () => {
    const placed = await outbox.add(message())
    outbox.isUnderWay = () => true
    await expect(outbox.discard(placed.id)).rejects.toMatchObject({ code: 'invalid' })
  })

  it('QUEUE-9 what was meant for a conversation that could not be made fails with it, and is retried with it', async () => {
    const made = await outbox.add(create())
    await outbox.add(message())
    await outbox.add(message(blue))
    await refuse(made.id)
    expect(failed.map((entry) => entry.id)).toEqual([made.id, 'message-1'])
    expect(outbox.waiting.map((entry) => entry.id)).toEqual(['message-2'])
    await outbox.retry(made.id)
    expect(outbox.waiting.map((entry) => entry.id)).toEqual([made.id, 'message-1', 'message-2'])
  })

  it('QUEUE-9 discarding a conversation that could not be made discards what depends on it', async () => {
    const made = await outbox.add(create())
    await outbox.add(message())
    await refuse(made.id)
    await outbox.discard(made.id)
    expect(await ids()).toEqual([])
  })

  it('DIST-3 when a distinct conversation is found, what was written for the new one goes to it', async () => {
    const made = await outbox.add(create(red))
    await outbox.add(message(red))
    await acknowledge(made.id, { result: { conversation: blue, outcome: 'found' }, stream: blue })
    expect(relabelled).toEqual([[red, blue]])
    expect((await made.acknowledged).conversation).toBe(blue)
    const [entry] = await listUnsent(replica)
    expect(entry).toMatchObject({ id: 'message-1', conversation: blue, input: { conversation: blue } })
    const late = await outbox.add(message(red))
    expect(late.conversation).toBe(blue)
    outbox = await open()
    expect(outbox.resolve(red)).toBe(blue)
  })

  it('QUEUE-8 a newer mark replaces an unsent older one, and answers for it', async () => {
    const older = await outbox.add(read(5))
    await outbox.add(message())
    await outbox.add(read(9))
    expect(await ids()).toEqual(['message-2', 'read-3'])
    await acknowledge('read-3')
    await expect(older.acknowledged).resolves.toMatchObject({ conversation: red })
  })

  it('QUEUE-8 marks made at once leave one entry', async () => {
    const placed = await Promise.all([outbox.add(read(5)), outbox.add(read(6)), outbox.add(read(7))])
    expect(await ids()).toEqual(['read-3'])
    await acknowledge('read-3')
    await Promise.all(placed.map((each) => each.acknowledged))
  })

  it('QUEUE-8 a mark that is under way is not replaced: the server may have carried it out', async () => {
    outbox.isUnderWay = (id) => id === 'read-1'
    await outbox.add(read(5))
    await outbox.add(read(9))
    expect(await ids()).toEqual(['read-1', 'read-2'])
  })
})

function passing(target: Replica): Replica {
  return {
    get: (table, key) => target.get(table, key),
    getMany: (table, keys) => target.getMany(table, keys),
    scan: (table, range) => target.scan(table, range),
    count: (table, range) => target.count(table, range),
    commit: (writes, options) => target.commit(writes, options),
    close: () => target.close(),
  }
}

function counting(target: Replica, commits: string[]): Replica {
  return {
    ...passing(target),
    commit: (writes, options) => {
      commits.push(options.durability)
      return target.commit(writes, options)
    },
  }
}

describe('what a tab asks for again', () => {
  it('TAB-4 an entry that is there is not added twice, and answers for itself', async () => {
    const draft = message()
    await outbox.add(draft)
    const again = await (await open()).add(draft)
    expect(again.conversation).toBe(red)
    expect(await listUnsent(replica)).toHaveLength(1)
  })

  it('TAB-4 what was placed and is gone goes again for its answer, and nobody sees it', async () => {
    const draft = message()
    const { acknowledged } = await outbox.add(draft, true)
    expect(outbox.waiting.map(({ id }) => id)).toEqual([draft.id])
    expect(await listUnsent(replica)).toEqual([])
    const mirror = new OutboxMirror()
    await mirror.load(replica)
    expect(mirror.entries.size).toBe(0)
    await outbox.settle([{ type: 'acknowledgement', id: draft.id, refusal: denied } as never])
    await expect(acknowledged).rejects.toMatchObject({ code: 'refused' })
    expect(await replica.count('outbox')).toBe(0)
    expect(failed).toEqual([])
  })

  it('TAB-4 what was discarded is not done after all, after a restart either', async () => {
    const draft = message()
    await outbox.add(draft)
    await outbox.discard(draft.id)
    for (const each of [outbox, await open()]) {
      await expect(each.add(draft, true)).rejects.toMatchObject({ code: 'discarded' })
      expect(await each.discard(draft.id)).toEqual([])
    }
    expect(await replica.count('outbox')).toBe(0)
  })

  it('TAB-4 whoever asks about an entry as it is given up, or as its answer is written, hears what became of it', async () => {
    const [given, answered] = [message(), message()]
    await outbox.add(given)
    await outbox.add(answered)
    const discarding = outbox.discard(given.id)
    await expect(outbox.add(given, true)).rejects.toMatchObject({ code: 'discarded' })
    await discarding
    const asked = outbox.add(answered, true)
    await acknowledge(answered.id)
    expect(await (await asked).acknowledged).toMatchObject({ conversation: red, result: {} })
  })

  it('TAB-4 a retry that was heard already is no error when it is repeated', async () => {
    const draft = message()
    await outbox.add(draft)
    await expect(outbox.retry(draft.id)).rejects.toMatchObject({ code: 'invalid' })
    await outbox.retry(draft.id, true)
    expect(outbox.waiting).toHaveLength(1)
  })
})

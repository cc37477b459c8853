import type { ConversationId, IdentityId, MessageId } from '@parley/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LossReason, type Replica, type ReplicaStorage, type Tables, TERM, type Write } from './replica.ts'

export interface StorageUnderTest {
  readonly storage: ReplicaStorage
  /** A second storage on the same device, as after a restart of the program. */
  readonly restarted: () => ReplicaStorage
  readonly dispose?: () => void | Promise<void>
}

/** What everything above the port relies on. Each adapter's own test calls this and adds what is special to it. */
export function replicaContract(create: () => StorageUnderTest | Promise<StorageUnderTest>): void {
  describe('the contract', () => defineContract(create))
}

function defineContract(create: () => StorageUnderTest | Promise<StorageUnderTest>): void {
  let subject: StorageUnderTest
  let replica: Replica

  beforeEach(async () => {
    subject = await create()
    replica = await subject.storage.open('app')
  })

  afterEach(async () => {
    await replica.close()
    await subject.dispose?.()
  })

  const commit = (...writes: Write[]) => replica.commit(writes, { durability: 'strict' })

  describe('terms', () => {
    const claim = (to: number, term: number, handle = replica) =>
      handle.commit([put('meta', { name: TERM, value: to })], { durability: 'strict', term })

    it('TAB-3 a commit of the present term is written, and the next term is claimed by one', async () => {
      await claim(1, 0)
      await replica.commit([put('messages', message('c1', 1))], { durability: 'relaxed', term: 1 })
      expect(await replica.count('messages')).toBe(1)
      const other = await subject.storage.open('app')
      const claims = await Promise.allSettled([claim(2, 1), claim(2, 1, other)])
      expect(claims.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      await other.close()
    })

    it('TAB-3 a commit of an earlier term writes nothing, and says why; without a term nobody looks', async () => {
      await claim(1, 0)
      const other = await subject.storage.open('app')
      await claim(2, 1, other)
      const late = replica.commit([put('messages', message('c1', 1)), put('messages', message('c1', 2))], {
        durability: 'relaxed',
        term: 1,
      })
      await expect(late).rejects.toMatchObject({ name: 'ReplicaError', code: 'fenced' })
      expect(await replica.count('messages')).toBe(0)
      await other.commit([put('messages', message('c1', 1))], { durability: 'relaxed', term: 2 })
      await commit(put('messages', message('c1', 2)))
      expect(await replica.count('messages')).toBe(2)
      await other.close()
    })

    it('TAB-3 emptying every table in one commit leaves the term', async () => {
      await claim(1, 0)
      await commit(...oneOfEach)
      const tables = oneOfEach.map(({ table }) => table)
      const empty = tables.map((table) => ({ type: 'delete-all', table, prefix: [] }) as const)
      await replica.commit([...empty, put('meta', { name: TERM, value: 1 })], { durability: 'strict', term: 1 })
      for (const table of tables) expect(await replica.count(table)).toBe(table === 'meta' ? 1 : 0)
      await replica.commit([put('messages', message('c1', 1))], { durability: 'strict', term: 1 })
    })
  })

  describe('rows', () => {
    it('DB-1 a row is read back as it was written', async () => {
      await commit(put('messages', message('c1', 1)))
      expect(await replica.get('messages', ['c1', 1])).toEqual(message('c1', 1))
    })

    it('an absent row is undefined', async () => {
      expect(await replica.get('messages', ['c1', 1])).toBeUndefined()
    })

    it('a second put of a key replaces the row', async () => {
      await commit(put('meta', { name: 'cursor', value: '1' }))
      await commit(put('meta', { name: 'cursor', value: '2' }))
      expect(await replica.scan('meta')).toEqual([{ name: 'cursor', value: '2' }])
    })

    it('many rows are read in the order of their keys, with gaps where there is none', async () => {
      await commit(put('messages', message('c1', 1)), put('messages', message('c1', 3)))
      const rows = await replica.getMany('messages', [
        ['c1', 3],
        ['c1', 2],
        ['c1', 1],
        ['c1', 3],
      ])
      expect(rows).toEqual([message('c1', 3), undefined, message('c1', 1), message('c1', 3)])
      expect(await replica.getMany('messages', [])).toEqual([])
    })

    it('a row that its writer changes afterwards stays as it was committed', async () => {
      const value = { list: [1] }
      await commit(put('meta', { name: 'm', value }))
      value.list.push(2)
      expect(await replica.get('meta', ['m'])).toEqual({ name: 'm', value: { list: [1] } })
    })

    it('every table holds rows under the key that it promises', async () => {
      await commit(...oneOfEach)
      for (const write of oneOfEach) expect(await replica.scan(write.table)).toMatchObject([write.row])
    })
  })

  describe('commits', () => {
    it('a position comes and goes with its message', async () => {
      const places = [1, 2].map((position) => {
        const { id, conversation } = message('c1', position)
        return put('positions', { id, conversation, position })
      })
      await commit(...messages('c1', 1, 2), ...places)
      expect(await replica.getMany('positions', [['c1/2'], ['c1/3']])).toMatchObject([{ position: 2 }, undefined])
      await commit({ type: 'delete', table: 'messages', key: [conversation('c1'), 2] }, ...gone('c1/2'))
      expect(await replica.count('positions')).toBe(1)
      await commit({ type: 'delete-all', table: 'messages', prefix: [conversation('c1')] }, ...gone('c1/1'))
      expect(await replica.get('positions', ['c1/1'])).toBeUndefined()
    })

    it('writes happen in order', async () => {
      await commit(
        put('meta', { name: 'a', value: 1 }),
        { type: 'delete', table: 'meta', key: ['a'] },
        put('meta', { name: 'b', value: 1 }),
        put('meta', { name: 'b', value: 2 }),
        { type: 'delete-all', table: 'messages', prefix: ['c1'] },
        put('messages', message('c1', 1)),
      )
      expect(await replica.scan('meta')).toEqual([{ name: 'b', value: 2 }])
      expect(await replica.count('messages')).toBe(1)
    })

    it('STR-6 a commit of which one write cannot be stored changes nothing', async () => {
      await commit(put('meta', { name: 'cursor', value: 'old' }))
      const broken = put('messages', { ...message('c1', 1), parts: [unstorable as never] })
      const writes = [put('meta', { name: 'cursor', value: 'new' }), broken, put('meta', { name: 'x', value: 1 })]
      await expect(commit(...writes)).rejects.toMatchObject({ name: 'ReplicaError', code: 'broken' })
      expect(await replica.scan('meta')).toEqual([{ name: 'cursor', value: 'old' }])
      expect(await replica.count('messages')).toBe(0)
      await commit(put('meta', { name: 'cursor', value: 'next' }))
      expect(await replica.get('meta', ['cursor'])).toEqual({ name: 'cursor', value: 'next' })
    })

    it('an empty commit is allowed', async () => {
      await commit()
      await replica.commit([], { durability: 'relaxed' })
      expect(await replica.scan('meta')).toEqual([])
    })

    it('relaxed commits are read like strict ones', async () => {
      await replica.commit([put('messages', message('c1', 1))], { durability: 'relaxed' })
      expect(await replica.get('messages', ['c1', 1])).toEqual(message('c1', 1))
    })

    it('commits that overlap are applied one after the other', async () => {
      const commits = Array.from({ length: 20 }, (_, i) =>
        commit(put('meta', { name: 'last', value: i }), put('outbox', outboxEntry(i))),
      )
      await Promise.all(commits)
      expect(await replica.get('meta', ['last'])).toEqual({ name: 'last', value: 19 })
      expect(await replica.count('outbox')).toBe(20)
    })

    it('deleting what is not there changes nothing', async () => {
      await commit({ type: 'delete', table: 'messages', key: ['c1', 1] })
      await commit({ type: 'delete-all', table: 'messages', prefix: ['c1'] })
      expect(await replica.count('messages')).toBe(0)
    })

    it('delete-all removes what begins with the prefix and nothing else', async () => {
      await commit(...messages('c1', 1, 3), ...messages('c10', 1, 2), ...messages('c', 1, 1))
      await commit({ type: 'delete-all', table: 'messages', prefix: ['c1'] })
      expect(await keys(replica.scan('messages'))).toEqual(['c 1', 'c10 1', 'c10 2'])
    })

    it('delete-all with a whole key removes that row, with none the whole table', async () => {
      await commit(...messages('c1', 1, 3), put('meta', { name: 'm', value: 1 }))
      await commit({ type: 'delete-all', table: 'messages', prefix: ['c1', 2] })
      expect(await keys(replica.scan('messages'))).toEqual(['c1 1', 'c1 3'])
      await commit({ type: 'delete-all', table: 'messages', prefix: [] })
      expect(await replica.count('messages')).toBe(0)
      expect(await replica.count('meta')).toBe(1)
    })
  })

  describe('ranges', () => {
    beforeEach(() => commit(...messages('c1', 8, 12), ...messages('c2', 1, 3), ...messages('c0', 99, 100)))

    it.each([
      ['everything, in key order', {}, 'c0 99, c0 100, c1 8, c1 9, c1 10, c1 11, c1 12, c2 1, c2 2, c2 3'],
      ['a prefix', { prefix: ['c1'] }, 'c1 8, c1 9, c1 10, c1 11, c1 12'],
      ['a whole key as prefix', { prefix: ['c1', 9] }, 'c1 9'],
      ['a prefix that nothing has', { prefix: ['c3'] }, ''],
      ['from a bound', { prefix: ['c1'], from: 10 }, 'c1 10, c1 11, c1 12'],
      ['to a bound', { prefix: ['c1'], to: 10 }, 'c1 8, c1 9, c1 10'],
      ['both bounds included', { prefix: ['c1'], from: 9, to: 11 }, 'c1 9, c1 10, c1 11'],
      ['bounds that cross', { prefix: ['c1'], from: 11, to: 9 }, ''],
      ['bounds beyond all rows', { prefix: ['c1'], from: 13, to: 99 }, ''],
      ['bounds of the first key part', { from: 'c1', to: 'c1' }, 'c1 8, c1 9, c1 10, c1 11, c1 12'],
      ['backwards', { prefix: ['c1'], reverse: true }, 'c1 12, c1 11, c1 10, c1 9, c1 8'],
      ['the first few', { prefix: ['c1'], limit: 2 }, 'c1 8, c1 9'],
      ['the last few', { prefix: ['c1'], reverse: true, limit: 2 }, 'c1 12, c1 11'],
      ['the last few up to a bound', { prefix: ['c1'], to: 10, reverse: true, limit: 2 }, 'c1 10, c1 9'],
      ['a limit of none', { limit: 0 }, ''],
      ['a limit beyond what is there', { prefix: ['c2'], limit: 99, reverse: true }, 'c2 3, c2 2, c2 1'],
    ])('%s', async (_name, range, expected) => {
      const found = await keys(replica.scan('messages', range))
      expect(found.join(', ')).toBe(expected)
      expect(await replica.count('messages', range)).toBe(found.length)
    })
  })

  describe('hostile values', () => {
    it.each(hostileTexts.map((text) => [text.slice(0, 20), text]))('text %j comes back unchanged', async (_, text) => {
      const row = { name: text, value: { [text]: [text, { text }] } }
      await commit(put('meta', row))
      const found = await replica.get('meta', [text])
      expect(found).toEqual(row)
      expect(Object.hasOwn(found?.value as object, text)).toBe(true)
      await commit({ type: 'delete', table: 'meta', key: [text] })
      expect(await replica.scan('meta')).toEqual([])
    })

    it('hostile texts are different keys', async () => {
      await commit(...hostileTexts.map((name, value) => put('meta', { name, value })))
      expect(await replica.count('meta')).toBe(hostileTexts.length)
      for (const [value, name] of hostileTexts.entries())
        expect(await replica.get('meta', [name])).toEqual({ name, value })
    })
  })

  describe('many rows', () => {
    it('holds 10,000 messages and finds the newest and the oldest', async () => {
      await replica.commit(messages('c1', 1, 10_000), { durability: 'relaxed' })
      expect(await replica.count('messages', { prefix: ['c1'] })).toBe(10_000)
      const newest = await replica.scan('messages', { prefix: ['c1'], reverse: true, limit: 2 })
      expect(newest.map((row) => row.position)).toEqual([10_000, 9_999])
      const all = await replica.scan('messages', { prefix: ['c1'] })
      expect(all.map((row) => row.position)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1))
    })
  })

  describe('life', () => {
    it('AUTH-36 closing and opening again finds everything', async () => {
      await commit(...oneOfEach)
      await replica.close()
      replica = await subject.restarted().open('app')
      for (const write of oneOfEach) expect(await replica.scan(write.table)).toMatchObject([write.row])
    })

    it('apps do not see each other', async () => {
      const others = await Promise.all(
        ['app2', 'APP', '../app', 'layer:///apps/x/1'].map((id) => subject.storage.open(id)),
      )
      await commit(put('meta', { name: 'm', value: 1 }))
      for (const other of others) {
        expect(await other.scan('meta')).toEqual([])
        await other.close()
      }
    })

    it('two handles of one app see the same rows', async () => {
      const other = await subject.storage.open('app')
      await commit(put('meta', { name: 'm', value: 1 }))
      expect(await other.get('meta', ['m'])).toEqual({ name: 'm', value: 1 })
      await other.close()
      expect(await replica.get('meta', ['m'])).toEqual({ name: 'm', value: 1 })
    })

    it('closing twice is fine, and whatever comes afterwards is told so', async () => {
      await replica.close()
      await replica.close()
      const closed = { name: 'ReplicaError', code: 'closed' }
      await expect(replica.get('meta', ['m'])).rejects.toMatchObject(closed)
      await expect(replica.getMany('meta', [['m']])).rejects.toMatchObject(closed)
      await expect(replica.scan('meta')).rejects.toMatchObject(closed)
      await expect(replica.count('meta')).rejects.toMatchObject(closed)
      await expect(commit(put('meta', { name: 'm', value: 1 }))).rejects.toMatchObject(closed)
    })

    it('AUTH-14 destroying leaves nothing, and leaves other apps alone', async () => {
      const other = await subject.storage.open('other')
      await other.commit([put('meta', { name: 'm', value: 1 })], { durability: 'strict' })
      await commit(...oneOfEach)
      await replica.close()
      await subject.storage.destroy('app')
      replica = await subject.restarted().open('app')
      for (const write of oneOfEach) expect(await replica.scan(write.table)).toEqual([])
      expect(await other.count('meta')).toBe(1)
      await other.close()
    })

    it('destroying closes open handles and tells each of them once', async () => {
      const reasons: LossReason[] = []
      const handle = await subject.storage.open('lost', { onLost: (reason) => reasons.push(reason) })
      await subject.storage.destroy('lost')
      expect(reasons).toEqual(['deleted'])
      await expect(handle.scan('meta')).rejects.toMatchObject({ code: 'closed' })
      await handle.close()
      await subject.storage.destroy('lost')
      expect(reasons).toEqual(['deleted'])
    })

    it('closing by oneself is no loss', async () => {
      const reasons: LossReason[] = []
      const handle = await subject.storage.open('kept', { onLost: (reason) => reasons.push(reason) })
      await handle.close()
      await subject.storage.destroy('kept')
      expect(reasons).toEqual([])
    })

    it('destroying what never was is fine', async () => {
      await subject.storage.destroy('never')
    })
  })
}

const at = '2026-11-22T10:00:00.000Z'
const alice = 'layer:///identities/alice' as IdentityId
const conversation = (id: string) => id as ConversationId

function put<T extends Write['table']>(table: T, row: Tables[T]) {
  return { type: 'put', table, row } as Extract<Write, { type: 'put'; table: T }>
}

function message(id: string, position: number): Tables['messages'] {
  return {
    type: 'message',
    conversation: conversation(id),
    id: `${id}/${position}` as MessageId,
    sequence: position,
    position,
    sender: alice,
    sent_at: at,
    parts: [{ mime_type: 'text/plain', body: `message ${position}` }],
    deleted_at: null,
  }
}

function messages(id: string, from: number, to: number): Write[] {
  return Array.from({ length: to - from + 1 }, (_, i) => put('messages', message(id, from + i)))
}

const gone = (id: string): Write[] => [{ type: 'delete', table: 'positions', key: [id] }]

function outboxEntry(order: number): Tables['outbox'] {
  return {
    order,
    id: `operation ${order}`,
    name: 'delete-message',
    input: { conversation: 'c1', message: 'm1', mode: 'my_devices' },
    conversation: conversation('c1'),
    createdAt: at,
    identity: alice,
    state: { state: 'waiting' },
  }
}

const oneOfEach = [
  put('meta', { name: 'epoch', value: null }),
  put('streams', { stream: 'inbox', sequence: 1, head: 2, oldest: null, complete: false }),
  put('conversations', {
    type: 'conversation',
    id: conversation('c1'),
    sequence: 1,
    created_at: at,
    distinct: true,
    metadata: { a: { b: 'c' } },
    deleted_at: null,
  }),
  put('participants', {
    type: 'participant',
    conversation: conversation('c1'),
    sequence: 2,
    identity: { id: alice, user_id: 'alice', display_name: null, avatar_url: null },
    state: 'active',
    joined_at: at,
    absent: [],
    delivered: [1, 3],
    read: [],
  }),
  put('memberships', {
    type: 'membership',
    conversation: conversation('c1'),
    sequence: 1,
    state: 'joined',
    hidden: [2, 2],
    last_position: null,
  }),
  put('messages', message('c1', 1)),
  put('positions', { id: message('c1', 1).id, conversation: conversation('c1'), position: 1 }),
  put('outbox', outboxEntry(7)),
]

async function keys(rows: Promise<Tables['messages'][]>): Promise<string[]> {
  return (await rows).map((row) => `${row.conversation} ${row.position}`)
}

/** Neither structured clone nor JSON can write a function that throws when it is looked at. */
const unstorable = {
  get body() {
    throw new Error('cannot be read')
  },
}

const hostileTexts = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '',
  ' ',
  '0',
  '-1',
  'a\\.b',
  `'; DROP TABLE messages; --`,
  '"order"',
  '%_*?[]',
  '👩‍👩‍👧‍👦 🇩🇪',
  'e\u0301 is not \u00e9',
  '\u202Eevil\u202C',
  '\u2066مرحبا\u2069 שלום',
  '\uFEFF\u200B\u00AD',
  '\n\r\t\u0001\u001F\u007F',
  '\uFFFF\uFFFE',
  'x'.repeat(10_240),
  '🙂'.repeat(2_560),
]

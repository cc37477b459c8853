import type { UserId } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { AppKey } from '../../model/state.ts'
import {
  alice,
  ben,
  cleo,
  commit,
  conversation,
  message,
  ONE,
  participant,
  person,
  TWO,
  uuid,
} from '../contract/records.contract.ts'
import { chatOfEverything, picture } from '../contract/whole-app.contract.ts'
import type { Store, Writes } from '../store.ts'
import { type Database, openDatabase } from './database.ts'
import { sqliteStoreOver } from './sqlite-store.ts'

/** A table of one row, and rows that were collected a moment ago. */
const HARMLESS = /^SCAN (log|CONSTANT ROW)$|^SCAN \(subquery/

function planOf(db: Database, sql: string): string[] {
  const parameters = Array.from({ length: sql.split('?').length - 1 }, () => 1)
  const plan = db.sql(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as { detail: string }[]
  return plan.map(({ detail }) => detail)
}

const scansOf = (db: Database, sql: string): string[] =>
  planOf(db, sql).filter((detail) => detail.startsWith('SCAN') && !HARMLESS.test(detail))

/** What is sorted in a place of its own has been read to its end before. */
const sortsOf = (db: Database, sql: string): string[] =>
  planOf(db, sql).filter((detail) => detail.includes('TEMP B-TREE'))

describe('statements of the embedded store', () => {
  it('none of sending, receipts, catching up, paging, lists and signing in reads a table from end to end', async () => {
    const db = openDatabase(':memory:')
    const heard = new Set<string>()
    const store = sqliteStoreOver({
      ...db,
      sql: (text) => {
        heard.add(text)
        return db.sql(text)
      },
    })
    await chatOfEverything(store, ONE, 'one')
    await picture(store)
    await commit(store, { purged: [{ app: ONE, key: uuid(1) }], people: [person('dana' as UserId)] })
    await store.log.prune({ operationsMs: 1, noncesMs: 1 })
    for (const sortBy of ['last_message', 'created_at'] as const) {
      await store.lists.conversations(ONE, alice, { sortBy, from: uuid(1), limit: 5 })
    }
    await store.apps.secret()
    await store.apps.byId(uuid(1))
    await store.apps.byKey(ONE)
    await store.apps.provider(uuid(1))
    await store.apps.providersOf(ONE)
    await store.apps.key('k')
    await store.apps.keysOf(uuid(1))
    await store.apps.session('h')
    await store.apps.endedSince(1)
    await store.apps.endSessionsOf(ONE, ben, 1)
    expect(heard.size).toBeGreaterThan(40)
    const scans = [...heard].flatMap((sql) => scansOf(db, sql).map((scan) => `${scan} in ${sql}`))
    expect(scans).toEqual([])
    db.close()
  })

  it('none of the write lane’s and none that reads messages sorts; only what one person has is ever sorted', async () => {
    const db = openDatabase(':memory:')
    const heard = new Map<string, Set<string>>()
    let part = ''
    const listening: Database = {
      ...db,
      sql: (text) => {
        heard.set(part, (heard.get(part) ?? new Set()).add(text))
        return db.sql(text)
      },
    }
    const store = new Proxy(sqliteStoreOver(listening), {
      get: (ports, name) =>
        new Proxy(Reflect.get(ports, name), {
          get: (port, method) => {
            part = String(name)
            return Reflect.get(port, method)
          },
        }),
    })
    await chatOfEverything(store, ONE, 'one')
    await picture(store)
    const sorts = (of: string) => [...heard.get(of)!].flatMap((sql) => (sortsOf(db, sql).length > 0 ? [sql] : []))
    expect(heard.get('log')!.size).toBeGreaterThan(15)
    expect(sorts('log')).toEqual([])
    // People of a conversation, conversations of a person: sets that are read whole anyway.
    for (const sql of [...sorts('streams'), ...sorts('lists')]) {
      expect(sql).toMatch(/FROM (participants p|identities i)\b/)
      expect(sql).not.toMatch(/\bmessages\b/)
    }
    db.close()
  })

  /** Two apps with the same people, ids and positions, and everything about them different; read as one value. */
  async function story(db: Database) {
    const store = sqliteStoreOver(db)
    await twin(store, ONE, 1)
    await twin(store, TWO, 2)
    const read = async (app: AppKey) => ({
      picture: await picture(store, app),
      lists: await Promise.all(
        (['last_message', 'created_at'] as const).flatMap((sortBy) =>
          [uuid(1), uuid(2), uuid(3)].map((from) =>
            store.lists.conversations(app, alice, { sortBy, from, limit: 5 }).then(({ items }) => items.length),
          ),
        ),
      ),
      since: await store.lists.messagesSince(app, uuid(3), alice, 1000 + app * 20, { above: 0, limit: 9 }),
      after: await store.streams.conversation(app, uuid(3), alice, 4 + app, 9),
    })
    const before = [await read(ONE), await read(TWO)]
    await store.log.commit({ ...(await nextWrites(store)), purged: [{ app: TWO, key: uuid(3) }] })
    await store.apps.endSessionsOf(TWO, alice, 5)
    return [before, await read(ONE), await read(TWO)]
  }

  async function nextWrites(store: Store): Promise<Writes> {
    const cursor = (await store.log.lastCursor()) + 1
    const none = { participants: [], messages: [], purged: [], people: [], sessions: [], nonces: [], operations: [] }
    return { cursor, at: 1, conversations: [], ...none }
  }

  async function twin(store: Store, app: AppKey, n: 1 | 2) {
    const first = n === 1
    await chatOfEverything(store, app, `app ${n}`)
    await commit(store, { conversations: [conversation(uuid(1), { headSequence: 7, headPosition: 3 }, {}, app)] })
    const ids = [uuid(1), uuid(2), uuid(3)]
    const states = ['joined', first ? 'left' : 'hidden', 'joined'] as const
    await commit(store, {
      people: [
        person(alice, 20 + n, app, { displayName: `Alice ${n}` }),
        person(ben, 30 + n, app),
        person(cleo, 40 + n, app),
        person('zoe' as UserId, n, app),
      ],
      conversations: ids.map((id, index) =>
        conversation(
          id,
          { sequence: 1, headSequence: 20 + n, headPosition: 6 + n, lastMessageAt: first ? index : 9 - index },
          { createdAt: first ? 9 - index : index, distinctKey: index === n ? 'ab' : null },
          app,
        ),
      ),
      participants: ids.flatMap((id, index) => [
        participant(id, alice, { sequence: 2 + n, inboxSequence: 10 * n + index, read: [1, n] }, app),
        participant(id, ben, { order: 2, sequence: 3 + n, inboxSequence: 10 * n + index, state: states[index]! }, app),
        ...(first ? [] : [participant(id, cleo, { order: 3, sequence: 9, inboxSequence: 10 + index }, app)]),
      ]),
      messages: Array.from({ length: 6 + n }, (_, index) => {
        const deletedAt = index === n ? 2000 + n : null
        const sequence = deletedAt === null ? 3 + index + 2 * n : 20 + n
        const [sentAt, changedAt] = [1000 + index * (first ? 10 : 7), deletedAt ?? 1000]
        return message(
          uuid(3),
          index + 1,
          { sequence, firstSequence: 3 + index + 2 * n, sentAt, changedAt, deletedAt },
          app,
        )
      }),
      operations: [{ app, userId: alice, id: uuid(50 + n), name: `operation ${n}`, at: n }],
    })
  }

  it('every one of them that names an app needs to: without, the tests of isolation fail', async () => {
    const plain = openDatabase(':memory:')
    const texts = new Set<string>()
    const expected = await story({
      ...plain,
      sql: (text) => {
        texts.add(text)
        return plain.sql(text)
      },
    })
    plain.close()
    const naming = [...texts].filter((text) => /\bapp = \?/.test(text))
    expect(naming.length).toBeGreaterThan(25)
    const unnoticed: string[] = []
    for (const target of naming) {
      const count = target.match(/\bapp = \?/g)!.length
      for (let nth = 0; nth < count; nth++) {
        const db = openDatabase(':memory:')
        let seen = 0
        const mutant = target.replace(/(?:\w+\.)?\bapp = \?/g, (term) => (seen++ === nth ? `(${term} OR 1)` : term))
        const outcome = await story({
          ...db,
          sql: (text) => db.sql(text === target ? mutant : text),
        }).catch((error: Error) => error.message)
        if (JSON.stringify(outcome) === JSON.stringify(expected)) unnoticed.push(mutant)
        db.close()
      }
    }
    expect(unnoticed).toEqual([])
  })
})

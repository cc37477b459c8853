/** Rows as they are written and read back, and commits: all of one, in order, or nothing. */
import { describe, expect, it } from 'vitest'
import type { Replica } from '../replica.ts'
import { commit, conversation, gone, keys, message, messages, oneOfEach, outboxEntry, put } from './rows.contract.ts'

export function commitsContract(replica: () => Replica): void {
  describe('rows', () => {
    it('DB-1 a row is read back as it was written', async () => {
      await commit(replica(), put('messages', message('c1', 1)))
      expect(await replica().get('messages', ['c1', 1])).toEqual(message('c1', 1))
    })

    it('an absent row is undefined', async () => {
      expect(await replica().get('messages', ['c1', 1])).toBeUndefined()
    })

    it('a second put of a key replaces the row', async () => {
      await commit(replica(), put('meta', { name: 'cursor', value: '1' }))
      await commit(replica(), put('meta', { name: 'cursor', value: '2' }))
      expect(await replica().scan('meta')).toEqual([{ name: 'cursor', value: '2' }])
    })

    it('many rows are read in the order of their keys, with gaps where there is none', async () => {
      await commit(replica(), put('messages', message('c1', 1)), put('messages', message('c1', 3)))
      const rows = await replica().getMany('messages', [
        ['c1', 3],
        ['c1', 2],
        ['c1', 1],
        ['c1', 3],
      ])
      expect(rows).toEqual([message('c1', 3), undefined, message('c1', 1), message('c1', 3)])
      expect(await replica().getMany('messages', [])).toEqual([])
    })

    it('a row that its writer changes afterwards stays as it was committed', async () => {
      const value = { list: [1] }
      await commit(replica(), put('meta', { name: 'm', value }))
      value.list.push(2)
      expect(await replica().get('meta', ['m'])).toEqual({ name: 'm', value: { list: [1] } })
    })

    it('every table holds rows under the key that it promises', async () => {
      await commit(replica(), ...oneOfEach)
      for (const write of oneOfEach) expect(await replica().scan(write.table)).toMatchObject([write.row])
    })
  })

  describe('commits', () => {
    it('a position comes and goes with its message', async () => {
      const places = [1, 2].map((position) => {
        const { id, conversation } = message('c1', position)
        return put('positions', { id, conversation, position })
      })
      await commit(replica(), ...messages('c1', 1, 2), ...places)
      expect(await replica().getMany('positions', [['c1/2'], ['c1/3']])).toMatchObject([{ position: 2 }, undefined])
      await commit(replica(), { type: 'delete', table: 'messages', key: [conversation('c1'), 2] }, ...gone('c1/2'))
      expect(await replica().count('positions')).toBe(1)
      await commit(replica(), { type: 'delete-all', table: 'messages', prefix: [conversation('c1')] }, ...gone('c1/1'))
      expect(await replica().get('positions', ['c1/1'])).toBeUndefined()
    })

    it('writes happen in order', async () => {
      await commit(
        replica(),
        put('meta', { name: 'a', value: 1 }),
        { type: 'delete', table: 'meta', key: ['a'] },
        put('meta', { name: 'b', value: 1 }),
        put('meta', { name: 'b', value: 2 }),
        { type: 'delete-all', table: 'messages', prefix: ['c1'] },
        put('messages', message('c1', 1)),
      )
      expect(await replica().scan('meta')).toEqual([{ name: 'b', value: 2 }])
      expect(await replica().count('messages')).toBe(1)
    })

    it('STR-6 a commit of which one write cannot be stored changes nothing', async () => {
      await commit(replica(), put('meta', { name: 'cursor', value: 'old' }))
      const broken = put('messages', { ...message('c1', 1), parts: [unstorable as never] })
      const writes = [put('meta', { name: 'cursor', value: 'new' }), broken, put('meta', { name: 'x', value: 1 })]
      await expect(commit(replica(), ...writes)).rejects.toMatchObject({ name: 'ReplicaError', code: 'broken' })
      expect(await replica().scan('meta')).toEqual([{ name: 'cursor', value: 'old' }])
      expect(await replica().count('messages')).toBe(0)
      await commit(replica(), put('meta', { name: 'cursor', value: 'next' }))
      expect(await replica().get('meta', ['cursor'])).toEqual({ name: 'cursor', value: 'next' })
    })

    it('an empty commit is allowed', async () => {
      await commit(replica())
      await replica().commit([], { durability: 'relaxed' })
      expect(await replica().scan('meta')).toEqual([])
    })

    it('relaxed commits are read like strict ones', async () => {
      await replica().commit([put('messages', message('c1', 1))], { durability: 'relaxed' })
      expect(await replica().get('messages', ['c1', 1])).toEqual(message('c1', 1))
    })

    it('commits that overlap are applied one after the other', async () => {
      const commits = Array.from({ length: 20 }, (_, i) =>
        commit(replica(), put('meta', { name: 'last', value: i }), put('outbox', outboxEntry(i))),
      )
      await Promise.all(commits)
      expect(await replica().get('meta', ['last'])).toEqual({ name: 'last', value: 19 })
      expect(await replica().count('outbox')).toBe(20)
    })

    it('deleting what is not there changes nothing', async () => {
      await commit(replica(), { type: 'delete', table: 'messages', key: ['c1', 1] })
      await commit(replica(), { type: 'delete-all', table: 'messages', prefix: ['c1'] })
      expect(await replica().count('messages')).toBe(0)
    })

    it('delete-all removes what begins with the prefix and nothing else', async () => {
      await commit(replica(), ...messages('c1', 1, 3), ...messages('c10', 1, 2), ...messages('c', 1, 1))
      await commit(replica(), { type: 'delete-all', table: 'messages', prefix: ['c1'] })
      expect(await keys(replica().scan('messages'))).toEqual(['c 1', 'c10 1', 'c10 2'])
    })

    it('delete-all with a whole key removes that row, with none the whole table', async () => {
      await commit(replica(), ...messages('c1', 1, 3), put('meta', { name: 'm', value: 1 }))
      await commit(replica(), { type: 'delete-all', table: 'messages', prefix: ['c1', 2] })
      expect(await keys(replica().scan('messages'))).toEqual(['c1 1', 'c1 3'])
      await commit(replica(), { type: 'delete-all', table: 'messages', prefix: [] })
      expect(await replica().count('messages')).toBe(0)
      expect(await replica().count('meta')).toBe(1)
    })
  })
}

/** Neither structured clone nor JSON can write a function that throws when it is looked at. */
const unstorable = {
  get body() {
    throw new Error('cannot be read')
  },
}

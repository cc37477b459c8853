/** Of several tabs one writes: the one whose term it is. */
import { describe, expect, it } from 'vitest'
import type { StorageUnderTest } from '../replica.contract.ts'
import { type Replica, TERM } from '../replica.ts'
import { commit, message, oneOfEach, put } from './rows.contract.ts'

export function termsContract(replica: () => Replica, device: () => StorageUnderTest): void {
  describe('terms', () => {
    const claim = (to: number, term: number, handle = replica()) =>
      handle.commit([put('meta', { name: TERM, value: to })], { durability: 'strict', term })

    it('TAB-3 a commit of the present term is written, and the next term is claimed by one', async () => {
      await claim(1, 0)
      await replica().commit([put('messages', message('c1', 1))], { durability: 'relaxed', term: 1 })
      expect(await replica().count('messages')).toBe(1)
      const other = await device().storage.open('app')
      const claims = await Promise.allSettled([claim(2, 1), claim(2, 1, other)])
      expect(claims.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      await other.close()
    })

    it('TAB-3 a commit of an earlier term writes nothing, and says why; without a term nobody looks', async () => {
      await claim(1, 0)
      const other = await device().storage.open('app')
      await claim(2, 1, other)
      const late = replica().commit([put('messages', message('c1', 1)), put('messages', message('c1', 2))], {
        durability: 'relaxed',
        term: 1,
      })
      await expect(late).rejects.toMatchObject({ name: 'ReplicaError', code: 'fenced' })
      expect(await replica().count('messages')).toBe(0)
      await other.commit([put('messages', message('c1', 1))], { durability: 'relaxed', term: 2 })
      await commit(replica(), put('messages', message('c1', 2)))
      expect(await replica().count('messages')).toBe(2)
      await other.close()
    })

    it('TAB-3 emptying every table in one commit leaves the term', async () => {
      await claim(1, 0)
      await commit(replica(), ...oneOfEach)
      const tables = oneOfEach.map(({ table }) => table)
      const empty = tables.map((table) => ({ type: 'delete-all', table, prefix: [] }) as const)
      await replica().commit([...empty, put('meta', { name: TERM, value: 1 })], { durability: 'strict', term: 1 })
      for (const table of tables) expect(await replica().count(table)).toBe(table === 'meta' ? 1 : 0)
      await replica().commit([put('messages', message('c1', 1))], { durability: 'strict', term: 1 })
    })
  })
}

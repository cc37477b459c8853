/** Which rows are found, however many there are and whatever texts they hold. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Replica } from '../replica.ts'
import { commit, keys, messages, put } from './rows.contract.ts'

export function rangesContract(replica: () => Replica): void {
  describe('ranges', () => {
    beforeEach(() => commit(replica(), ...messages('c1', 8, 12), ...messages('c2', 1, 3), ...messages('c0', 99, 100)))

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
      const found = await keys(replica().scan('messages', range))
      expect(found.join(', ')).toBe(expected)
      expect(await replica().count('messages', range)).toBe(found.length)
    })
  })

  describe('hostile values', () => {
    it.each(hostileTexts.map((text) => [text.slice(0, 20), text]))('text %j comes back unchanged', async (_, text) => {
      const row = { name: text, value: { [text]: [text, { text }] } }
      await commit(replica(), put('meta', row))
      const found = await replica().get('meta', [text])
      expect(found).toEqual(row)
      expect(Object.hasOwn(found?.value as object, text)).toBe(true)
      await commit(replica(), { type: 'delete', table: 'meta', key: [text] })
      expect(await replica().scan('meta')).toEqual([])
    })

    it('hostile texts are different keys', async () => {
      await commit(replica(), ...hostileTexts.map((name, value) => put('meta', { name, value })))
      expect(await replica().count('meta')).toBe(hostileTexts.length)
      for (const [value, name] of hostileTexts.entries())
        expect(await replica().get('meta', [name])).toEqual({ name, value })
    })
  })

  describe('many rows', () => {
    it('holds 10,000 messages and finds the newest and the oldest', async () => {
      await replica().commit(messages('c1', 1, 10_000), { durability: 'relaxed' })
      expect(await replica().count('messages', { prefix: ['c1'] })).toBe(10_000)
      const newest = await replica().scan('messages', { prefix: ['c1'], reverse: true, limit: 2 })
      expect(newest.map((row) => row.position)).toEqual([10_000, 9_999])
      const all = await replica().scan('messages', { prefix: ['c1'] })
      expect(all.map((row) => row.position)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1))
    })
  })
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

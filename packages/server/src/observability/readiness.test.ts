import { expect, test } from 'vitest'
import { Readiness } from './readiness.ts'

test('a server is unready for as long as one of its parts is in trouble, and says why', () => {
  const readiness = new Readiness()
  let trouble: string | undefined
  readiness.expect(() => trouble)
  readiness.expect(() => undefined)
  expect(readiness.reasons).toEqual([])
  trouble = 'The store has ended.'
  expect(readiness.reasons).toEqual(['The store has ended.'])
  trouble = undefined
  expect(readiness.reasons).toEqual([])
})

import { expect, test } from 'vitest'
import { StorePulse } from './store-pulse.ts'

test('a store that was silent for a quarter of a minute is trouble, until it answers again', () => {
  let now = 1_000
  const pulse = new StorePulse(() => now)
  now += 14_999
  expect(pulse.trouble).toBeUndefined()
  now += 1
  expect(pulse.trouble).toBe('The store has not answered for 15 seconds.')
  pulse.beat()
  expect(pulse.trouble).toBeUndefined()
})

import { expect, test } from 'vitest'
import { StorePulse } from './store-pulse.ts'

test.each([
  ['the only server there is', true, 15],
  ['one of several servers', false, 4],
])('%s takes a store that was silent for long for trouble, until it answers again', (_, isAlone, seconds) => {
  let now = 1_000
  const pulse = new StorePulse(isAlone, () => now)
  now += seconds * 1_000 - 1
  expect(pulse.trouble).toBeUndefined()
  now += 1
  expect(pulse.trouble).toBe(`The store has not answered for ${seconds} seconds.`)
  pulse.beat()
  expect(pulse.trouble).toBeUndefined()
})

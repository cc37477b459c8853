import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Departures } from './departures.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('88 who comes alone goes at once, who comes soon after waits, and all of them go together', async () => {
  const departures = new Departures(5)
  const gone: string[] = []
  const come = (name: string) => void departures.next().then(() => gone.push(name))
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
  come('a')
  await pass(0)
  expect(gone).toEqual(['a'])
  await pass(1)
  come('b')
  await pass(3)
  come('c')
  expect(gone).toEqual(['a'])
  await pass(1)
  expect(gone).toEqual(['a', 'b', 'c'])
  come('d')
  await pass(4)
  expect(gone).toHaveLength(3)
  await pass(1)
  expect(gone).toHaveLength(4)
  await pass(5)
  come('e')
  await pass(0)
  expect(gone).toHaveLength(5)
})

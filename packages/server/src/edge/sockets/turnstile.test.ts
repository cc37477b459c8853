import { expect, it } from 'vitest'
import { MAX_WAITING_UPGRADES, Turnstile } from './turnstile.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('88 one alone enters at once; of thousands a few enter each turn, in order', async () => {
  const turnstile = new Turnstile()
  const entered: number[] = []
  turnstile.pass(() => entered.push(0))
  expect(entered).toEqual([0])
  for (let i = 1; i <= 100; i++) turnstile.pass(() => entered.push(i))
  expect(entered).toEqual([0])
  await turn()
  const first = entered.length
  expect(first).toBeGreaterThan(10)
  expect(first).toBeLessThan(100)
  for (let i = 0; i < 10; i++) await turn()
  expect(entered).toEqual(Array.from({ length: 101 }, (_, i) => i))
})

it('88 whoever comes when the line is full is told so, and there is room again later', async () => {
  const turnstile = new Turnstile()
  let entered = 0
  const come = () => turnstile.pass(() => entered++)
  const count = MAX_WAITING_UPGRADES + 10
  const told = Array.from({ length: count }, come)
  expect(told.filter((isIn) => !isIn).length).toBeGreaterThan(0)
  for (let i = 0; i < 200; i++) await turn()
  expect(entered).toBe(told.filter(Boolean).length)
  expect(come()).toBe(true)
})

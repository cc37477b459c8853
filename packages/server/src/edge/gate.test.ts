import { expect, it } from 'vitest'
import { Gate } from './gate.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('88 lets so many in at a time, the others in the order they came', async () => {
  const gate = new Gate(2)
  const inside: number[] = []
  const leave: (() => void)[] = []
  for (let i = 0; i < 5; i++) {
    void gate.enter().then((out) => {
      inside.push(i)
      leave.push(out)
    })
  }
  await turn()
  expect([inside, gate.waiting]).toEqual([[0, 1], 3])
  leave[1]!()
  await turn()
  expect([inside, gate.waiting]).toEqual([[0, 1, 2], 2])
  for (const out of leave.slice(0, 1)) out()
  leave[2]!()
  await turn()
  expect([inside, gate.waiting]).toEqual([[0, 1, 2, 3, 4], 0])
  leave[3]!()
  leave[4]!()
  await expect(gate.enter()).resolves.toBeTypeOf('function')
})

import type { AcknowledgementFrame, DownFrame } from '@parley/protocol'
import { settle } from '@parley/testkit'
import { expect, it } from 'vitest'
import { type Deferred, deferred } from '../deferred.ts'
import { FrameQueue } from './frame-queue.ts'

const heads = (sequence: number): DownFrame => ({
  type: 'heads',
  streams: [{ stream: 'inbox', sequence }],
  cursor: null,
})
const acknowledgement = (id: string) => ({ type: 'acknowledgement', id }) as AcknowledgementFrame

/** A queue whose takers take one step at a time, and what they were given. */
function held() {
  const taken: (DownFrame | string)[] = []
  const steps: Deferred[] = []
  const take = (what: DownFrame | string) => {
    taken.push(what)
    const step = deferred()
    steps.push(step)
    return step.promise
  }
  const queue = new FrameQueue({
    write: take,
    settle: (answers) => take(answers.map(({ id }) => id).join(' ')),
  })
  const step = () => {
    steps.shift()?.resolve()
    return settle()
  }
  return { queue, taken, step }
}

it('CON-5 frames are given on in order, each after the one before has settled', async () => {
  const { queue, taken, step } = held()
  queue.push(heads(1))
  queue.push(heads(2))
  await settle()
  expect(taken).toEqual([heads(1)])
  await step()
  expect(taken).toEqual([heads(1), heads(2)])
})

it('OPR-4 acknowledgements that follow each other are taken together', async () => {
  const { queue, taken, step } = held()
  queue.push(heads(1))
  for (const id of ['a', 'b']) queue.push(acknowledgement(id))
  queue.push(heads(2))
  queue.push(acknowledgement('c'))
  for (let i = 0; i < 3; i++) await step()
  expect(taken).toEqual([heads(1), 'a b', heads(2), 'c'])
})

it('CON-5 what was not given on yet is forgotten with the connection', async () => {
  const { queue, taken, step } = held()
  queue.push(heads(1))
  queue.push(heads(2))
  queue.clear()
  await step()
  queue.push(heads(3))
  expect(taken).toEqual([heads(1), heads(3)])
})

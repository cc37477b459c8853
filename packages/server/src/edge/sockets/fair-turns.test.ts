import { expect, it } from 'vitest'
import { FairTurns, FRAMES_PER_TURN } from './fair-turns.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('130 who says much in one turn is not read until the next, and nobody else is held', async () => {
  const turns = new FairTurns()
  const told: string[] = []
  const speaker = (name: string) => ({
    socket: { pause: () => void told.push(`${name} paused`), resume: () => void told.push(`${name} resumed`) },
    turn: 0,
    frames: 0,
  })
  const [loud, quiet] = [speaker('loud'), speaker('quiet')]
  for (let i = 0; i < FRAMES_PER_TURN + 10; i++) turns.heard(loud)
  turns.heard(quiet)
  expect(told).toEqual(['loud paused'])
  await turn()
  expect(told).toEqual(['loud paused', 'loud resumed'])
  turns.heard(loud)
  await turn()
  expect(told).toHaveLength(2)
})

import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

/** Ten connections, each kept for so long, many times over. */
function turns(keptMs: number): Turns {
  const turns = new Turns(10)
  for (let i = 0; i < 50; i++) turns.kept(keptMs)
  return turns
}

describe('who may wait for a connection', () => {
  it('everybody, as long as nothing is known of how long one is kept', () => {
    expect(new Turns(10).hasRoom(900)).toBe(true)
  })

  it.each([
    [1, 1_000],
    [10, 1_000],
    [100, 124],
    [500, 24],
    [2_500, 4],
  ])('when one is kept for %d ms: as many as have their turn soon, at least %d', (keptMs, room) => {
    expect(turns(keptMs).hasRoom(room)).toBe(true)
  })

  it.each([
    [100, 127],
    [500, 26],
    [2_500, 6],
  ])('when one is kept for %d ms: nobody behind %d others', (keptMs, waiting) => {
    expect(turns(keptMs).hasRoom(waiting)).toBe(false)
  })

  it('the first is always let in, however slow the database is, and shows when it is fast again', () => {
    const slow = turns(2_500)
    expect(slow.hasRoom(0)).toBe(true)
    for (let i = 0; i < 20; i++) slow.kept(2)
    expect(slow.hasRoom(100)).toBe(true)
  })
})

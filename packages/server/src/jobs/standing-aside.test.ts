import { beforeEach, describe, expect, it } from 'vitest'
import { CrankedClock } from '../../test/cranked-clock.ts'
import { standAsideWhileCutOff } from './standing-aside.ts'

describe('34 a server that the store does not answer', () => {
  let clock: CrankedClock
  let here: { isSilent: boolean; isStoreElsewhere: boolean }
  let heard: string[]
  beforeEach(() => {
    clock = new CrankedClock()
    here = { isSilent: true, isStoreElsewhere: true }
    heard = []
    standAsideWhileCutOff({
      ...{ clock, log: () => undefined },
      isSilent: () => here.isSilent,
      isStoreElsewhere: () => here.isStoreElsewhere,
      sockets: { standAside: () => heard.push('aside'), standIn: () => heard.push('in') },
    })
  })

  it('sends people to the others, once, and stands in again as soon as the store answers', () => {
    clock.advance(2_000)
    expect(heard).toEqual([])
    clock.advance(20_000)
    expect(heard).toEqual(['aside'])
    here.isSilent = false
    clock.advance(1_000)
    expect(heard).toEqual(['aside', 'in'])
  })

  it('keeps them while no other server reaches the store either', () => {
    here.isStoreElsewhere = false
    clock.advance(20_000)
    expect(heard).toEqual([])
    here.isStoreElsewhere = true
    clock.advance(1_000)
    expect(heard).toEqual(['aside'])
  })

  it('does nothing for a silence that has passed by the next look, as after a sleep', () => {
    for (let i = 0; i < 10; i++) {
      here.isSilent = i % 2 === 0
      clock.advance(1_000)
    }
    expect(heard).toEqual([])
  })
})

import { VirtualClock } from '@parley/testkit'
import { beforeEach, expect, it } from 'vitest'
import type { Session } from '../model/state.ts'
import { Holds } from './holds.ts'

let clock: VirtualClock
let holds: Holds
let told: string[]
let session: Session
beforeEach(() => {
  clock = new VirtualClock()
  holds = new Holds(clock)
  told = []
  session = { id: 'one', expiresAt: clock.now() + 100_000 } as Session
})
const holder = (name: string) => ({
  ended: () => told.push(`${name} ended`),
  renewed: () => told.push(`${name} renewed`),
})
const warned = (name: string) => ({
  ...holder(name),
  warnAt: ({ expiresAt }: Session) => expiresAt - 30_000,
  ending: () => told.push(`${name} ending`),
})

it('AUTH-13 who wants to hear that the end is near hears it, and everybody hears of the end', async () => {
  holds.add(session, holder('a'))
  holds.add(session, warned('b'))
  await clock.advance(69_999)
  expect(told).toEqual([])
  await clock.advance(1)
  expect(told).toEqual(['b ending'])
  await clock.advance(30_000)
  expect(told).toEqual(['b ending', 'a ended', 'b ended'])
  expect(holds.of(session.id)).toEqual([])
})

it('AUTH-13 a session that was renewed ends when it does then, and warns again', async () => {
  const hold = holds.add(session, warned('a'))
  await clock.advance(80_000)
  hold.renew({ ...session, expiresAt: session.expiresAt + 100_000 })
  await clock.advance(89_999)
  expect(told).toEqual(['a ending', 'a renewed'])
  await clock.advance(1)
  expect(told).toEqual(['a ending', 'a renewed', 'a ending'])
  await clock.advance(30_000)
  expect(told.slice(3)).toEqual(['a ended'])
})

it('AUTH-13 a connection that is gone hears nothing more, and one whose end has come hears it once', async () => {
  const gone = holds.add(session, warned('a'))
  const here = holds.add(session, warned('b'))
  gone.release()
  gone.release()
  here.end()
  await clock.advance(200_000)
  expect(told).toEqual(['b ended'])
  expect(holds.sessions).toEqual([])
})

it('AUTH-13 what would be warned of too late is warned of at once', async () => {
  session = { ...session, expiresAt: clock.now() + 10_000 }
  holds.add(session, warned('a'))
  await clock.advance(0)
  expect(told).toEqual(['a ending'])
})

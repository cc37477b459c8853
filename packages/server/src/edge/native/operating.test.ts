import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { AppKey } from '../../model/state.ts'
import { Tally } from '../../observability/tally.ts'
import type { WriteLane } from '../../operations/lane.ts'
import type { LaneRequest, Outcome } from '../../operations/lane-request.ts'
import { Operating } from './operating.ts'

const id = (n: number): Uuid => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Uuid

/** A lane that is cranked by hand: what was asked for waits, in order, until it is looked at. */
function crankedLane() {
  const waiting: { request: LaneRequest<unknown, unknown>; settle: (outcome: Outcome) => void }[] = []
  const lane = {
    isPressed: false,
    share: Number.POSITIVE_INFINITY,
    hasRoom: (underWay: number) => underWay < lane.share,
    turnAway: () => 700,
    enqueue: (request: LaneRequest<unknown, unknown>, settle: (outcome: Outcome) => void) =>
      waiting.push({ request, settle }),
  }
  const answered: string[] = []
  const operating = new Operating(
    lane as unknown as WriteLane,
    new Tally(),
    (text) => {
      const frame = JSON.parse(text)
      answered.push(`${Number(frame.id.slice(-4))} ${frame.refusal ? 'later' : 'done'}`)
    },
    () => undefined,
  )
  return {
    answered,
    operating,
    lane,
    ask(n: number, after: number | undefined) {
      const input = { conversation: id(900), receipt: 'read', position: 1 }
      const frame = { type: 'operation', id: id(n), name: 'mark-messages', input, after: after && id(after) }
      operating.operate(frame as never, { app: 1 as AppKey, userId: 'alice' as UserId }, undefined)
    },
    /** Looks at the next one, in an hour of this mood. */
    next(mood: 'well' | 'away') {
      const { request, settle } = waiting.shift()!
      const later = { refusal: { id: 'service_unavailable', retryAfterMs: 1 } } as const
      const isPutOff = mood === 'away' || (request.isHeldBack?.() ?? false)
      settle(isPutOff ? later : { result: {}, stream: 'inbox', sequence: 1, hasChanged: true })
    },
  }
}

describe('operations of a connection', () => {
  it('OPR-5 what was under way stays behind what was put off before it, though that is asked for again meanwhile', () => {
    const lane = crankedLane()
    lane.ask(1, undefined)
    lane.ask(2, 1)
    lane.ask(3, 2)
    lane.next('away')
    // Its sender did not wait for the others to be answered.
    lane.ask(1, undefined)
    lane.next('well')
    lane.next('well')
    lane.next('well')
    expect(lane.answered).toEqual(['1 later', '2 later', '3 later', '1 done'])
    lane.ask(2, 1)
    lane.ask(3, 2)
    lane.next('well')
    lane.next('well')
    expect(lane.answered.slice(4)).toEqual(['2 done', '3 done'])
  })

  it('OPR-5 what follows something that was put off is refused at once, until that is asked for again', () => {
    const lane = crankedLane()
    lane.ask(1, undefined)
    lane.next('away')
    lane.ask(2, 1)
    lane.ask(1, undefined)
    lane.ask(2, 1)
    lane.next('well')
    lane.next('well')
    expect(lane.answered).toEqual(['1 later', '2 later', '1 done', '2 done'])
  })

  it.each([
    ['nobody is pressed', { isPressed: false, share: 0 }, 1, 'heard'],
    ['there is room', { isPressed: true, share: 2 }, 1, 'heard'],
    ['others of this connection are under way', { isPressed: true, share: 1 }, 1, 'held'],
    ['nothing is under way whose answer would make room', { isPressed: true, share: 0 }, 0, 'turned away'],
  ])('92 an operation that comes when %s', (_, mood, underWay, passage) => {
    const { operating, lane, ask } = crankedLane()
    for (let n = 1; n <= underWay; n++) ask(n, undefined)
    Object.assign(lane, mood)
    expect(operating.passage(`{"type":"operation","id":"${id(9)}","name":"anything`, true)).toBe(passage)
  })

  it('92 what may not be held is turned away, and what is no operation is heard', () => {
    const { operating, lane, ask, answered } = crankedLane()
    ask(1, undefined)
    Object.assign(lane, { isPressed: true, share: 1 })
    expect(operating.passage(`{"type":"operation","id":"${id(9)}"`, false)).toBe('turned away')
    expect(answered).toEqual(['9 later'])
    expect(operating.passage('{"type":"ping"}', false)).toBe('heard')
  })
})

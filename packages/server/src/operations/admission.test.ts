import { limits } from '@parley/protocol'
import { describe, expect, it, test } from 'vitest'
import {
  chanceOf,
  isAdmitted,
  isPressed,
  MAX_WAIT_MS,
  MAX_WAITING,
  Pace,
  pressureOf,
  retryAfterMs,
} from './admission.ts'

describe('92 who is let in', () => {
  const many = limits.maxOperationsInFlight - 1
  it.each([
    ['nobody waits', 0, many, true],
    ['a quarter of what is borne', 0.25, many, true],
    ['a little more: who has much under way waits', 0.26, many, false],
    ['half of what is borne: one of our devices with all that it sends at once', 0.5, 31, true],
    ['a little more than half: who has little under way', 0.6, 10, true],
    ['nearly all: two at a time', 0.995, 2, false],
    ['nearly all: one who has one', 0.995, 1, true],
    ['all that is borne: one at a time', 1, 1, false],
    ['all that is borne: who has nothing under way', 1, 0, true],
    ['more than that: nearly nobody', 1.49, 0, true],
    ['far too much: nobody', 1.5, 0, false],
    ['all that is borne: signing in', 1, undefined, true],
    ['far too much: not even signing in', 1.5, undefined, false],
  ])('when %s', (_, pressure, underWay, admitted) => {
    expect(isAdmitted(pressure, underWay)).toBe(admitted)
  })

  it('less is never let in with more under way, or under more pressure', () => {
    for (let pressure = 0; pressure < 2; pressure += 0.05) {
      for (let underWay = 0; underWay < 256; underWay += 5) {
        if (isAdmitted(pressure, underWay)) continue
        expect(isAdmitted(pressure, underWay + 5)).toBe(false)
        expect(isAdmitted(pressure + 0.05, underWay)).toBe(false)
      }
    }
  })
})

test('92 pressure comes from how many wait, and from how long', () => {
  expect(pressureOf(0, 0)).toBe(0)
  expect(isAdmitted(pressureOf(MAX_WAITING - 1, 0), undefined)).toBe(true)
  expect(isAdmitted(pressureOf(MAX_WAITING, 0), undefined)).toBe(false)
  expect(pressureOf(10, MAX_WAIT_MS / 2)).toBe(0.5)
  expect(isPressed(pressureOf(10, MAX_WAIT_MS))).toBe(true)
})

describe('92 the pace', () => {
  it('is unknown at first, and then nobody is expected to wait', () => {
    expect(new Pace().waitMs(10_000)).toBe(0)
  })

  it('is learnt from batches that say something', () => {
    const pace = new Pace()
    pace.note(3, 100)
    pace.note(500, 0)
    expect(pace.waitMs(1_000)).toBe(0)
    pace.note(200, 10)
    expect(pace.waitMs(1_000)).toBe(50)
  })

  it('follows a disk that has become slow', () => {
    const pace = new Pace()
    pace.note(1_000, 20)
    for (let i = 0; i < 30; i++) pace.note(1_000, 1_000)
    expect(pace.waitMs(1_000)).toBeGreaterThan(900)
  })
})

describe('92 when to come back', () => {
  it('is later the longer the queue, and never at once', () => {
    expect(retryAfterMs(0, 0.5)).toBe(500)
    expect(retryAfterMs(250, 0.5)).toBe(1_000)
    expect(retryAfterMs(0, 0)).toBe(250)
  })

  it('is spread by the ids of those who come', () => {
    expect(chanceOf('019b0000-0000-7000-8000-000000000000')).toBe(0)
    expect(chanceOf('019b0000-0000-7000-8000-00000000ffff')).toBe(1)
    expect(chanceOf(null)).toBe(0.5)
    expect(chanceOf('none')).toBe(0.5)
  })
})

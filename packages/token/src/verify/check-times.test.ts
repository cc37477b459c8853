import { expect, test } from 'vitest'
import { goodClaims, NOW, NOW_MS } from '../../test/fixtures.ts'
import { checkTimes } from './check-times.ts'

const leewayMs = 5000
const at = (nowMs: number, change: object = {}, maxLifetimeSeconds?: number) =>
  checkTimes({ ...goodClaims(), ...change }, { nowMs, leewayMs, maxLifetimeSeconds })?.error

test.each([
  ['iat one second beyond the leeway', { iat: NOW + 6 }, 'eit_not_before'],
  ['iat at the leeway', { iat: NOW + 5 }, undefined],
  ['iat one second within', { iat: NOW + 4 }, undefined],
  ['nbf one second beyond the leeway', { nbf: NOW + 6 }, 'eit_not_before'],
  ['nbf at the leeway', { nbf: NOW + 5 }, undefined],
  ['an nbf before iat changes nothing', { nbf: 0, iat: NOW + 6 }, 'eit_not_before'],
  ['exp one second beyond the leeway', { iat: NOW - 60, exp: NOW - 6 }, 'eit_expired'],
  ['exp at the leeway', { iat: NOW - 60, exp: NOW - 5 }, 'eit_expired'],
  ['exp one second within', { iat: NOW - 60, exp: NOW - 4 }, undefined],
  ['exp equal to iat', { exp: NOW }, 'eit_expired'],
  ['exp before iat', { exp: NOW - 1 }, 'eit_expired'],
  ['both in the future', { iat: NOW + 60, exp: NOW + 30 }, 'eit_not_before'],
  ['exp = 0', { exp: 0 }, 'eit_expired'],
])('112 EIT-11 %s', (_, change, error) => {
  expect(at(NOW_MS, change)).toBe(error)
})

test('112 EIT-11 the leeway ends to the millisecond', () => {
  expect(at(NOW_MS - 5000)).toBeUndefined()
  expect(at(NOW_MS - 5001)).toBe('eit_not_before')
  expect(at(NOW_MS + 3_604_999)).toBeUndefined()
  expect(at(NOW_MS + 3_605_000)).toBe('eit_expired')
})

test('112 EIT-11 a lifetime beyond the limit is refused, and without a limit it is not', () => {
  expect(at(NOW_MS, {}, 3600)).toBeUndefined()
  expect(at(NOW_MS, {}, 3599)).toBe('eit_claim_wrong_type')
  expect(at(NOW_MS, { exp: NOW + 10 ** 9 })).toBeUndefined()
})

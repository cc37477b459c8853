import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { limits, type Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { isGoodNonce, issueNonce, nonceHash } from './nonces.ts'

const ONE = '5d2e1b0a-0000-4000-8000-000000000001' as Uuid
const TWO = '5d2e1b0a-0000-4000-8000-000000000002' as Uuid
const NOW = 1_800_000_000_000
const keyOf = (secret: string) => createSecretKey(secret, 'utf8')
const secret = keyOf('a secret')
const issue = (appId: Uuid | null = null) => issueNonce({ secret, appId, nowMs: NOW, random: randomBytes(16) })
const isGood = (nonce: string, more: { appId?: Uuid; nowMs?: number; secret?: KeyObject } = {}) =>
  isGoodNonce(nonce, { secret, appId: ONE, nowMs: NOW, ...more })

describe('114 AUTH-24 AUTH-29 a nonce', () => {
  it('has 128 random bits, and looks like no other', () => {
    const nonces = Array.from({ length: 10_000 }, () => issue())
    expect(new Set(nonces.map((nonce) => nonce.slice(0, 21))).size).toBe(10_000)
    expect(new Set(nonces.map(nonceHash)).size).toBe(10_000)
    expect(nonces[0]).toMatch(/^[A-Za-z0-9_-]{51}$/)
  })

  it.each([
    ['when it was issued', 0, true],
    ['ten minutes later', limits.nonceLifetimeMs, true],
    ['a millisecond after that', limits.nonceLifetimeMs + 1, false],
    ['a day later', 86_400_000, false],
    ['a moment before, by a clock that lags', -limits.clockLeewayMs, true],
    ['long before, by a clock that jumped back', -limits.clockLeewayMs - 1, false],
    ['an hour before', -3_600_000, false],
  ])('%s', (_, ms, expected) => {
    expect(isGood(issue(), { nowMs: NOW + ms })).toBe(expected)
  })

  it.each([
    ['for its app', ONE, ONE, true],
    ['for another app', TWO, ONE, false],
    ['for none in particular', null, ONE, true],
  ] as const)('%s', (_, of, to, expected) => {
    expect(isGood(issue(of), { appId: to })).toBe(expected)
  })

  it('is nobody else’s: another secret, one bit changed, cut, longer, written otherwise', () => {
    const nonce = issue(ONE)
    expect(isGood(nonce, { secret: keyOf('another') })).toBe(false)
    const bytes = Buffer.from(nonce, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(isGood(changed.toString('base64url'))).toBe(false)
    }
    const spellings = [
      ...Array.from({ length: nonce.length }, (_, length) => nonce.slice(0, length)),
      `${nonce}A`,
      `${nonce}=`,
      ` ${nonce}`,
      `${nonce}\n`,
      nonce.toUpperCase(),
      bytes.toString('hex'),
      // 38 bytes leave two bits over, which have to be zero: the same bytes, written otherwise.
      ...['B', 'C', 'D'].map((offset) => {
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        const last = alphabet.indexOf(nonce.at(-1)!)
        return nonce.slice(0, -1) + alphabet[last + alphabet.indexOf(offset)]
      }),
    ]
    for (const spelling of spellings) expect([spelling, isGood(spelling)]).toEqual([spelling, false])
    expect(isGood(nonce)).toBe(true)
  })
})

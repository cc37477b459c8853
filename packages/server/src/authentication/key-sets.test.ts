import type { Uuid } from '@parley/protocol'
import { generateProviderKey } from '@parley/token'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AppKey } from '../model/state.ts'
import { KeySets } from './key-sets.ts'

const first = await generateProviderKey('ES256')
const second = await generateProviderKey('EdDSA')
const provider = {
  id: 'f0e1d2c3-b4a5-4968-8776-655443322110' as Uuid,
  app: 1 as AppKey,
  jwksUrl: 'https://keys.example',
}
const uuidOf = (key: typeof first) => key.keyId.slice('layer:///keys/'.length)
const setOf = (...keys: (typeof first)[]) =>
  JSON.stringify({ keys: keys.map((key) => ({ ...key.publicJwk, kid: key.keyId })) })

describe('117 AUTH-21 keys at a JWKS address', () => {
  let now = 0
  let asked: string[] = []
  let answer: () => Promise<string>
  let sets: KeySets
  const find = async (key: typeof first) => (await sets.find(provider, uuidOf(key)))?.algorithm
  beforeEach(() => {
    now = 1_800_000_000_000
    asked = []
    answer = async () => setOf(first)
    sets = new KeySets(
      (url, maxBytes) => {
        asked.push(`${url} ${maxBytes}`)
        return answer()
      },
      () => now,
    )
  })

  it('are fetched when first needed, once for all who ask, and kept', async () => {
    expect(await Promise.all([find(first), find(first), find(second)])).toEqual(['ES256', 'ES256', undefined])
    expect(await find(first)).toBe('ES256')
    expect(asked).toEqual(['https://keys.example 262144'])
    expect(await sets.find({ ...provider, jwksUrl: null }, uuidOf(first))).toBeUndefined()
  })

  it('a new key is found when it shows up, at the earliest after 30 seconds', async () => {
    await find(first)
    answer = async () => setOf(first, second)
    now += 29_999
    expect(await find(second)).toBeUndefined()
    now += 1
    expect(await find(second)).toBe('EdDSA')
    expect(asked).toHaveLength(2)
  })

  it('a flood of random key ids causes at most one refresh in 30 seconds', async () => {
    for (let second = 0; second < 120; second++) {
      await Promise.all(Array.from({ length: 50 }, () => sets.find(provider, crypto.randomUUID())))
      now += 1_000
    }
    expect(asked.length).toBe(4)
  })

  it.each<[string, () => Promise<string>]>([
    ['does not answer', () => Promise.reject(new Error('away'))],
    ['answers nonsense', async () => '<html>'],
    ['answers null', async () => 'null'],
    ['answers with an error in JSON', async () => '{"error":"down"}'],
  ])('the last good set stays in use while the address %s', async (_, broken) => {
    await find(first)
    answer = broken
    now += 3_600_000
    expect(await find(first)).toBe('ES256')
    expect(await find(second)).toBeUndefined()
    now += 30_000
    answer = async () => setOf(second)
    expect(await find(second)).toBe('EdDSA')
  })

  it('a key that its provider withdrew is out after ten minutes, though nobody asks for another', async () => {
    await find(first)
    answer = async () => setOf(second)
    now += 599_999
    expect(await find(first)).toBe('ES256')
    now += 1
    expect(await find(first)).toBeUndefined()
    expect(await find(second)).toBe('EdDSA')
    expect(asked).toHaveLength(2)
  })

  it('what is no key, or too weak a one, is passed over', async () => {
    const jwk = { ...first.publicJwk, kid: uuidOf(first).toUpperCase() }
    const junk = [null, 7, 'x', [], {}, { kid: 7 }, { kid: 'x' }, { kty: 'oct', k: 'AAAA', kid: uuidOf(second) }]
    answer = async () => JSON.stringify({ keys: [...junk, jwk] })
    expect(await find(first)).toBe('ES256')
    expect(await find(second)).toBeUndefined()
  })

  it('no more than 64 keys of a set are looked at', async () => {
    answer = async () =>
      JSON.stringify({
        keys: [...Array.from({ length: 64 }, () => ({ kid: 'x' })), { ...first.publicJwk, kid: uuidOf(first) }],
      })
    expect(await find(first)).toBeUndefined()
  })
})

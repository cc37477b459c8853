/** A nonce opens one session, once, whoever hurries; and one that opens none does not say why. */
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Uuid } from '@parley/protocol'
import { type CreatedApp, openAdministration, openSqliteStore, storeFile } from '@parley/server'
import { SeededChance } from '@parley/testkit'
import { createIdentityTokenMinter, type IdentityTokenMinter } from '@parley/token'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { assemble } from '../src/assemble.ts'
import { issueNonce } from '../src/authentication/nonces.ts'
import type { Sessions } from '../src/authentication/sessions.ts'
import type { Store } from '../src/store/store.ts'
import { startTestServer } from './support.ts'

const ROUNDS = 200
const AT_ONCE = 100

let folder: string
let store: Store
let app: CreatedApp
let other: CreatedApp
let minter: IdentityTokenMinter
let sessions: Sessions
const idOf = (created: CreatedApp) => created.appId.slice(-36) as Uuid

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-nonces-'))
  const administration = await openAdministration(folder)
  app = await administration.createApp({ algorithm: 'EdDSA' })
  other = await administration.createApp({ algorithm: 'EdDSA' })
  await administration.close()
  minter = createIdentityTokenMinter({ providerId: app.providerId, keyId: app.keyId, privateKey: app.privateKeyPem })
  store = openSqliteStore(storeFile(folder))
  const { edge } = await assemble(store, {
    clock: { now: Date.now, after: () => () => undefined },
    log: () => undefined,
    baseUrl: () => '',
  })
  sessions = edge.sessions
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const outcomeOf = async (token: string): Promise<string> => {
  const outcome = await sessions.open(idOf(app), token)
  return 'refusal' in outcome ? String(outcome.refusal.data?.reason ?? outcome.refusal.id) : 'opened'
}

it(`113 of ${AT_ONCE} uses of one nonce at once exactly one opens a session, ${ROUNDS} rounds`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const userId = `racer ${round}`
    const nonce = sessions.nonce(round % 2 ? null : idOf(app))
    // Half of them send the same token, half one of their own for the same nonce.
    const same = await minter.mint({ userId, nonce })
    const own = await Promise.all(
      Array.from({ length: 4 }, (_, nth) => minter.mint({ userId, nonce, expiresInSeconds: 100 + nth })),
    )
    const tokens = Array.from({ length: AT_ONCE }, (_, nth) => (nth % 2 ? same : own[nth % 4]!))
    const outcomes = await Promise.all(tokens.map(outcomeOf))
    expect(outcomes.filter((outcome) => outcome === 'opened')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'eit_nonce_not_found')).toHaveLength(AT_ONCE - 1)
    const [known] = (await store.apps.all()).filter(({ id }) => id === idOf(app))
    expect(await store.apps.liveSessionsOf(known!.key, userId as never)).toHaveLength(1)
  }
})

it('113 so it is through the door: a hundred requests at once, one session', async () => {
  const home = await startTestServer()
  try {
    for (let round = 0; round < 5; round++) {
      const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
      const identity_token = await home.minter.mint({ userId: `racer ${round}`, nonce })
      const body = { identity_token, app_id: home.app.appId }
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, () => home.request('POST', '/sessions', { body })),
      )
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 201)).toHaveLength(1)
      expect(statuses.filter((status) => status === 422)).toHaveLength(AT_ONCE - 1)
    }
  } finally {
    await home.close()
  }
})

it('113 a nonce that was used stays used when the server starts again, and when its clock goes back', async () => {
  const nonce = sessions.nonce(null)
  expect(await outcomeOf(await minter.mint({ userId: 'first', nonce }))).toBe('opened')
  for (const ms of [0, -4_000, 599_000, -3_600_000]) {
    const { edge } = await assemble(store, {
      clock: { now: () => Date.now() + ms, after: () => () => undefined },
      log: () => undefined,
      baseUrl: () => '',
    })
    const { providerId, keyId, privateKeyPem: privateKey } = app
    const then = createIdentityTokenMinter({ providerId, keyId, privateKey, now: () => Date.now() + ms })
    const token = await then.mint({ userId: 'second', nonce })
    const outcome = await edge.sessions.open(idOf(app), token)
    expect([ms, outcome]).toMatchObject([ms, { refusal: { data: { reason: 'eit_nonce_not_found' } } }])
  }
})

/** A nonce as the server issued it some time ago. */
const issuedBefore = async (ms: number): Promise<string> =>
  issueNonce({
    secret: createSecretKey(await store.apps.secret(), 'utf8'),
    appId: null,
    nowMs: Date.now() - ms,
    random: randomBytes(16),
  })

/** Nonces that open nothing, each made anew. */
const refused: Readonly<Record<string, () => Promise<string> | string>> = {
  'used before': async () => {
    const nonce = sessions.nonce(null)
    expect(await outcomeOf(await minter.mint({ userId: 'spender', nonce }))).toBe('opened')
    return nonce
  },
  'of another app': () => sessions.nonce(idOf(other)),
  'never issued': () => randomBytes(38).toString('base64url'),
  'one bit changed': () => {
    const bytes = Buffer.from(sessions.nonce(null), 'base64url')
    bytes[5]! ^= 4
    return bytes.toString('base64url')
  },
  'cut short': () => sessions.nonce(null).slice(0, -1),
  'ten minutes and a second old': () => issuedBefore(601_000),
  empty: () => '',
  'the hash of a good one': () => createHash('sha256').update(sessions.nonce(null)).digest('base64url'),
}

it.each(Object.keys(refused))(
  '114 a nonce that is %s is refused as eit_nonce_not_found, like any other',
  async (kind) => {
    const nonce = await refused[kind]!()
    const outcome = await sessions.open(idOf(app), await minter.mint({ userId: 'mallory', nonce: nonce || ' ' }))
    const other = await sessions.open(idOf(app), await minter.mint({ userId: 'mallory', nonce: 'another' }))
    expect(outcome).toEqual(other)
    expect(outcome).toMatchObject({ refusal: { id: 'invalid_property', data: { reason: 'eit_nonce_not_found' } } })
  },
)

it('114 a nonce of ten minutes to the millisecond still opens, and another provider’s token does not', async () => {
  const old = await issuedBefore(599_000)
  expect(await outcomeOf(await minter.mint({ userId: 'late', nonce: old }))).toBe('opened')
  const nonce = sessions.nonce(null)
  const { providerId, keyId, privateKeyPem: privateKey } = other
  const foreign = createIdentityTokenMinter({ providerId, keyId, privateKey })
  expect(await outcomeOf(await foreign.mint({ userId: 'mallory', nonce }))).toBe('eit_provider_not_bound_to_app')
  // It was not spent by that.
  expect(await outcomeOf(await minter.mint({ userId: 'honest', nonce }))).toBe('opened')
})

const TRIES = 150
const PASSES = 8
const chance = new SeededChance(114)
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

/**
 * All kinds take turns in one loop, so that whatever else the machine does meets them alike, and the middle of many is
 * compared. Chance alone moves it by some per cent at first; then more tries are added. What is really there does not
 * go away by that: before all nonces took the same way, it was 25 %.
 */
it('114 a used nonce, one of another app, an old one and one never issued take the same time within 5 %', async () => {
  const kinds = ['never issued', 'of another app', 'one bit changed', 'ten minutes and a second old', 'cut short']
  const took = new Map(['used before', ...kinds].map((kind): [string, number[]] => [kind, []]))
  let worst = Number.POSITIVE_INFINITY
  for (let pass = 0; pass < PASSES && worst > 0.05; pass++) {
    for (let nth = 0; nth < TRIES; nth++) {
      const tokens = await Promise.all(
        [...took.keys()].map(async (kind) => {
          const nonce = await refused[kind]!()
          return { kind, place: chance.number(), token: await minter.mint({ userId: 'mallory', nonce }) }
        }),
      )
      // The first pays for what has gone cold: a refusal that nobody measures, and then all in an order left to chance.
      await sessions.open(idOf(app), await minter.mint({ userId: 'mallory', nonce: 'cold' }))
      for (const { kind, token } of tokens.sort((a, b) => a.place - b.place)) {
        const startedAt = performance.now()
        await sessions.open(idOf(app), token)
        took.get(kind)!.push(performance.now() - startedAt)
      }
    }
    const used = median(took.get('used before')!)
    const differences = kinds.map((kind) => [kind, median(took.get(kind)!) / used - 1] as const)
    worst = Math.max(...differences.map(([, difference]) => Math.abs(difference)))
    const said = differences.map(([kind, difference]) => `${kind} ${(difference * 100).toFixed(1)} %`)
    console.log(`114 used ${used.toFixed(3)} ms; ${said.join(', ')}`)
  }
  expect(worst).toBeLessThanOrEqual(0.05)
})

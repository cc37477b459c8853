/**
 * The founding text of authentication, one test for each of its statements about the app's authentication service and
 * about the flow between the three parties, as it is seen on the wire.
 */
import { createIdentityTokenMinter, generateProviderKey } from '@parley/token'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FoundingWorld, readToken } from './founding-world.ts'

let world: FoundingWorld
beforeAll(async () => {
  world = await FoundingWorld.open()
})
beforeEach(() => world.begin())
afterEach(() => world.end())
afterAll(() => world.close())

/** Alice signs in by the sample service; her wire tells how it went. */
async function aliceSignsIn() {
  const service = await world.startService()
  const alice = await world.signedIn('alice', { service })
  const { nonce } = alice.wire.find('hear nonce').body as { nonce: string }
  const { identity_token: token } = alice.wire.find('200 service/identity-token').body as { identity_token: string }
  const { session } = alice.wire.find('hear welcome').body as { session: { token: string } }
  return { service, wire: alice.wire, nonce, token, session: session.token }
}

describe('the app’s authentication web service', () => {
  it('AUTH-19 an app in production needs a service of its own: the one for development does not open it', async () => {
    const app = await world.createApp('production')
    const service = await world.startService()
    const borrowing = world.device('alice', { app, service })
    await expect(borrowing.client.authenticate('alice')).rejects.toMatchObject({
      code: 'refused',
      refusal: { data: { reason: 'eit_provider_not_bound_to_app' } },
    })
    expect(borrowing.client.state).toEqual({ state: 'unauthenticated' })
    const body = { user: 'alice', password: 'parley', nonce: borrowing.asked[0], app_id: app.appId }
    expect((await world.ask('POST', '/identity-token', { body })).status).toBe(404)
    const owning = world.device('alice', { app, service: await world.startService(app) })
    expect(await owning.client.authenticate('alice')).toMatchObject({ user_id: 'alice' })
  })

  it('AUTH-20 registration and log-in stay with the app: Parley learns of nobody beforehand and sees no password', async () => {
    const service = await world.startService()
    const stranger = world.device('erin', { service, password: 'correct horse' })
    await expect(stranger.client.authenticate('erin')).rejects.toMatchObject({ code: 'challenge_failed' })
    const form = new URLSearchParams({ user: 'erin', display_name: 'Erin', password: 'correct horse' })
    const signUp = { method: 'POST', headers: { origin: service.url }, body: form, redirect: 'manual' } as const
    expect((await fetch(`${service.url}/sign-up`, signUp)).status).toBe(303)
    expect(await stranger.client.authenticate('erin')).toMatchObject({ user_id: 'erin', display_name: 'Erin' })
    const guesser = world.device('erin', { service, password: 'a guess' })
    await expect(guesser.client.authenticate('erin')).rejects.toMatchObject({ code: 'challenge_failed' })
    expect(new Set(stranger.wire.carrying('correct horse'))).toEqual(new Set(['POST service/identity-token']))
    expect(guesser.wire.steps).not.toContain('say hello')
  })

  it('AUTH-21 only whom a token of the service speaks for can communicate', async () => {
    const { token, wire } = await aliceSignsIn()
    const { appId, providerId, keyId } = world.app
    const open = async (identity_token: string) =>
      (await world.ask('POST', '/sessions', { body: { identity_token, app_id: appId } })) as {
        readonly status: number
        readonly body: { readonly data?: { readonly reason: string } }
      }
    const nonce = async () => (await world.ask('POST', '/nonces', { body: { app_id: appId } })).body.nonce ?? ''
    const { privateKeyPem: foreignKey } = await generateProviderKey('ES256')
    const minter = (privateKey: string, now = world.clock.wall) =>
      createIdentityTokenMinter({ providerId, keyId, privateKey, now })
    const forged = await minter(foreignKey).mint({ userId: 'alice', nonce: await nonce() })
    const old = minter(world.app.privateKeyPem, () => world.clock.wall() - 3_600_000)
    const expired = await old.mint({ userId: 'alice', nonce: await nonce(), expiresInSeconds: 60 })
    const [header, , signature] = token.split('.')
    const claims = { ...readToken(token, 'claims'), prn: 'ben', nce: await nonce() }
    const altered = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
    const refused = { forged, expired, altered, replayed: token }
    const reasons = await Promise.all(Object.values(refused).map(async (each) => (await open(each)).body.data?.reason))
    expect(reasons).toEqual([
      'eit_signature_verification_failed',
      'eit_expired',
      'eit_signature_verification_failed',
      'eit_nonce_not_found',
    ])
    for (const session of [undefined, 'invented', token]) {
      const answer = await world.ask('GET', '/conversations', session === undefined ? {} : { token: session })
      expect(answer.status).toBe(401)
    }
    const mallory = world.device('alice')
    mallory.obtainToken = async () => forged
    await expect(mallory.client.authenticate('alice')).rejects.toMatchObject({ code: 'refused' })
    expect(mallory.wire.steps).not.toContain('hear welcome')
    expect(wire.steps).toContain('hear welcome')
  })
})

describe('the flow', () => {
  it('AUTH-22 first the client connects to the server, and to nobody before it is asked to', async () => {
    const service = await world.startService()
    const alice = world.device('alice', { service })
    await alice.client.opened
    expect(alice.wire.steps).toEqual([])
    await alice.client.authenticate('alice')
    await alice.live()
    const [socket] = alice.wire.crossings
    expect(socket?.step).toBe('open parley')
    expect(new URL(socket!.url).origin).toBe(new URL(world.server.websocketUrl).origin)
    expect(socket!.headers).toEqual({ 'sec-websocket-protocol': 'parley.1' })
    expect(alice.wire.isInOrder('open parley', 'say nonce', 'say hello', 'hear welcome')).toBe(true)
  })

  it('AUTH-23 the client asks for authentication, naming the app and nobody in particular', async () => {
    const { wire } = await aliceSignsIn()
    const [, request] = wire.crossings
    expect(request).toMatchObject({ step: 'say nonce', body: { type: 'nonce', app_id: world.app.appId } })
    expect(Object.keys(request?.body as object)).toEqual(['type', 'app_id'])
    expect(JSON.stringify(request)).not.toContain('alice')
  })

  it('AUTH-24 the server makes a nonce for each such request and returns it to the client', async () => {
    const { wire, nonce } = await aliceSignsIn()
    expect(wire.steps.slice(0, 3)).toEqual(['open parley', 'say nonce', 'hear nonce'])
    expect(Buffer.from(nonce, 'base64url').length).toBeGreaterThanOrEqual(16)
    const other = world.device('ben')
    await other.client.authenticate('ben')
    expect(other.wire.find('hear nonce').body).toEqual({ type: 'nonce', nonce: other.asked[0] })
    expect(other.asked[0]).not.toBe(nonce)
  })

  it('AUTH-25 the client hands that nonce to the app’s authentication web service', async () => {
    const { wire, nonce } = await aliceSignsIn()
    expect(wire.steps.indexOf('POST service/identity-token')).toBe(wire.steps.indexOf('hear nonce') + 1)
    expect(wire.find('POST service/identity-token').body).toEqual({ user: 'alice', password: 'parley', nonce })
  })

  it('AUTH-26 the service returns an identity token for the user and that nonce', async () => {
    const { wire, nonce, token } = await aliceSignsIn()
    expect(wire.steps.indexOf('200 service/identity-token')).toBe(wire.steps.indexOf('POST service/identity-token') + 1)
    expect(wire.find('200 service/identity-token').headers['cache-control']).toBe('no-store')
    const { providerId, keyId } = world.app
    expect(readToken(token, 'header')).toEqual({ typ: 'JWT', cty: 'layer-eit;v=1', alg: 'ES256', kid: keyId })
    const claims = readToken(token, 'claims')
    expect(claims).toMatchObject({ iss: providerId, prn: 'alice', nce: nonce, display_name: 'Alice' })
    const now = world.clock.wall() / 1000
    expect(claims.iat).toBeLessThanOrEqual(now)
    expect(claims.exp).toBeGreaterThan(now)
  })

  it('AUTH-27 the client sends the token to the server as it is, once, and is given a session', async () => {
    const { wire, token, session } = await aliceSignsIn()
    expect(wire.isInOrder('200 service/identity-token', 'say hello', 'hear welcome')).toBe(true)
    const body = { type: 'hello', identity_token: token, app_id: world.app.appId, cursor: null, epoch: null }
    expect(wire.find('say hello').body).toEqual(body)
    expect(wire.carrying(token)).toEqual(['200 service/identity-token', 'say hello'])
    // All of it on one connection, which is the session's from here on; whoever comes back says the session's own token.
    expect(wire.steps.filter((step) => step === 'open parley' || step === 'say hello')).toHaveLength(2)
    expect(session.length).toBeGreaterThan(40)
    expect(wire.crossings.some(({ url }) => url.includes(session) || url.includes(token))).toBe(false)
  })

  it('AUTH-28 the client is told of success or of failure, and of which', async () => {
    const service = await world.startService()
    const states: string[] = []
    const alice = world.device('alice', { service })
    alice.client.on('state', ({ state }) => states.push(state))
    expect(await alice.client.authenticate('alice')).toMatchObject({ user_id: 'alice', display_name: 'Alice' })
    expect(states).toEqual(['unauthenticated', 'authenticating', 'authenticated'])
    await alice.live()
    expect(alice.wire.steps.slice(0, 7)).toEqual([
      'open parley',
      'say nonce',
      'hear nonce',
      'POST service/identity-token',
      '200 service/identity-token',
      'say hello',
      'hear welcome',
    ])
    const wrong = world.device('alice', { service, password: 'wrong' })
    await expect(wrong.client.authenticate('alice')).rejects.toMatchObject({ code: 'challenge_failed' })
    const other = world.device('ben', { service })
    await expect(other.client.authenticate('alice')).rejects.toMatchObject({ code: 'wrong_user' })
    const stale = world.device('alice')
    const { obtainToken } = stale
    stale.obtainToken = () => obtainToken('an invented nonce')
    await expect(stale.client.authenticate('alice')).rejects.toMatchObject({
      code: 'refused',
      refusal: { data: { reason: 'eit_nonce_not_found' } },
    })
    for (const { client } of [wrong, other, stale]) expect(client.state).toEqual({ state: 'unauthenticated' })
  })
})

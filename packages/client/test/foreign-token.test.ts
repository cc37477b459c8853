/** Log-in forgery: somebody slips their own token, session or answer into the page of a person who signs in. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const tokenSaying = (claims: unknown) => `${encode({ alg: 'ES256' })}.${encode(claims)}.AAAA`

/** What an attacker may put where the person's own token belongs, and how the SDK throws it back. */
const foreign: readonly (readonly [string, string, (nonce: string) => unknown])[] = [
  ['the attacker’s own token', 'wrong_user', (nonce) => world.server.tokenFor('mallory', nonce)],
  ['a name that differs in case', 'wrong_user', (nonce) => world.server.tokenFor('Alice', nonce)],
  ['a name with a space behind', 'wrong_user', (nonce) => world.server.tokenFor('alice ', nonce)],
  ['a name that looks the same', 'wrong_user', (nonce) => world.server.tokenFor('аlice', nonce)],
  ['a name that is composed otherwise', 'wrong_user', () => tokenSaying({ prn: 'a\u0301lice' })],
  ['no name', 'challenge_failed', () => tokenSaying({})],
  ['an empty name', 'challenge_failed', () => tokenSaying({ prn: '' })],
  ['a list of names', 'challenge_failed', () => tokenSaying({ prn: ['alice'] })],
  [
    'an inherited name',
    'challenge_failed',
    () => `AA.${Buffer.from('{"__proto__":{"prn":"alice"}}').toString('base64url')}.AA`,
  ],
  ['an object', 'challenge_failed', () => ({ identity_token: 'x' })],
  ['nothing', 'challenge_failed', () => undefined],
]

it.each(foreign)(
  '118 AUTH-40 %s in place of the token: the SDK throws %s, sends nothing and stores nothing',
  async (_, code, answer) => {
    const alice = world.device('alice')
    alice.answer = async (nonce) => answer(nonce) as never
    await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({ code })
    await world.flow()
    expect(world.server.requests).toEqual(['nonce'])
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(await alice.rows()).toBe(0)
  },
)

it('118 AUTH-40 a server that opens a session for somebody else: the SDK throws, ends it and stores nothing', async () => {
  const alice = world.device('alice')
  world.server.welcomes(world.server.log.identity('eve'))
  await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({ code: 'wrong_user' })
  await world.flow()
  expect(world.server.requests.at(-1)).toBe('DELETE /sessions/current')
  expect(await alice.rows()).toBe(0)
})

it('118 AUTH-40 a renewal with somebody else’s token is never sent, and the session stays the person’s own', async () => {
  const alice = await world.signedIn('alice')
  const before = await (await alice.replica()).scan('meta')
  alice.answer = async (nonce) => world.server.tokenFor('mallory', nonce)
  world.server.challenge()
  await world.pass(20_000)
  expect(alice.heard('challenge-failed')[0]).toMatchObject({ error: { code: 'wrong_user' } })
  expect(alice.heard('renewed')).toEqual([])
  expect(alice.client.state).toMatchObject({ state: 'authenticated', identity: { user_id: 'alice' } })
  expect(await (await alice.replica()).scan('meta')).toEqual(before)
})

it('118 a token for the right person by the wrong nonce opens nothing', async () => {
  const alice = world.device('alice')
  alice.answer = async () => world.server.tokenFor('alice', 'a nonce of somebody else’s sign-in')
  await expect(world.finish(alice.client.authenticate('alice'))).rejects.toThrow()
  expect(alice.client.state).toEqual({ state: 'unauthenticated' })
  expect(await alice.rows()).toBe(0)
})

it('118 a session that lies in the store for somebody else is not taken for the one who signs in', async () => {
  const device = await world.signedIn('mallory')
  await device.restart()
  await expect(world.finish(device.client.authenticate('alice'))).rejects.toMatchObject({
    code: 'already_authenticated',
  })
  expect(device.client.state).toMatchObject({ state: 'authenticated', identity: { user_id: 'mallory' } })
})

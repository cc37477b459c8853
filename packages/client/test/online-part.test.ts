/** What needs the network is fetched over the network; here it cannot be had at first. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import * as online from '../src/online.ts'
import type { Online } from '../src/online-part.ts'
import { World } from './world.ts'

let world: World
let loads: number
let load: () => Promise<Online>

const fetched = async () => online
const failing = async () => {
  throw new TypeError('Failed to fetch dynamically imported module')
}
const options = {
  online: () => {
    loads++
    return load()
  },
}

beforeEach(() => {
  world = new World()
  loads = 0
  load = fetched
})

afterEach(() => world.close())

it('AUTH-28 signing in without it is unreachable and changes nothing, and works once it can be had', async () => {
  load = failing
  const alice = world.device('alice', options)
  await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({
    code: 'unreachable',
    cause: { message: 'Failed to fetch dynamically imported module' },
  })
  expect(alice.client.state).toEqual({ state: 'unauthenticated' })
  expect(alice.asked).toEqual([])
  expect(await alice.rows()).toBe(0)
  load = fetched
  await world.finish(alice.client.authenticate('alice'))
  await world.flow()
  expect(alice.client.connection.state).toBe('live')
})

it('AUTH-28 one that does not come is given up after 20 seconds', async () => {
  load = () => new Promise(() => {})
  const alice = world.device('alice', options)
  const call = alice.client.authenticate('alice')
  call.catch(() => {})
  await world.pass(19_000)
  expect(alice.client.state).toMatchObject({ state: 'authenticating' })
  await world.pass(1_500)
  await expect(call).rejects.toMatchObject({ code: 'unreachable' })
})

it('AUTH-36 without it everything stored is there and what is written waits, and both go on when it comes', async () => {
  const alice = await world.signedIn('alice', options)
  const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
  await conversation.sendText('one')
  await world.flow()
  load = failing
  await alice.restart()
  await world.pass(3_000)
  expect(alice.client.identity?.user_id).toBe('alice')
  expect(alice.client.connection.state).not.toBe('live')
  expect(alice.heard('problem')[0]).toMatchObject({ error: { code: 'unreachable' } })
  expect(await alice.texts(conversation.id)).toEqual(['one'])
  const again = alice.client.conversation(conversation.id)
  again.typing()
  const sent = await world.finish(again.sendText('two'))
  load = fetched
  await world.finish(sent.acknowledged)
  expect(await alice.texts(conversation.id)).toEqual(['one', 'two'])
})

it('CONN-10 no socket is opened when it comes after the app has disconnected', async () => {
  const alice = await world.signedIn('alice', options)
  let come = () => {}
  load = () => new Promise((resolve) => (come = () => resolve(online)))
  await alice.restart()
  await world.flow()
  expect(alice.client.connection.state).toBe('connecting')
  alice.client.disconnect()
  await world.flow()
  const opened = world.server.network.opened
  come()
  await world.pass(60_000)
  expect(alice.client.connection.state).toBe('stopped')
  expect(world.server.network.opened).toBe(opened)
})

it('TAB-2 each tab fetches it once and at once, so that it can take over although the app was deployed anew', async () => {
  const first = world.tab(options)
  await world.flow()
  expect(loads).toBe(1)
  await world.finish(first.client.authenticate('alice'))
  const second = world.tab(options)
  await world.flow()
  expect(loads).toBe(2)
  load = failing
  await first.client.close()
  await world.pass(5_000)
  expect(second.client.connection.state).toBe('live')
  expect(loads).toBe(2)
})

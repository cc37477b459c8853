import type { UserId, Uuid } from '@parley/protocol'
import { expect, it } from 'vitest'
import type { AppKey } from '../model/state.ts'
import type { StreamStore } from '../store/store.ts'
import type { Typing } from './change.ts'
import { Delivery } from './delivery.ts'

const APP = 1 as AppKey
const chat = '00000000-0000-4000-8000-000000000001' as Uuid
const [ann, ben, cleo, eve] = ['ann', 'ben', 'cleo', 'eve'] as UserId[] as [UserId, UserId, UserId, UserId]
const typing: Typing = { conversation: chat, sender: ann, action: 'started' }

/** A server where everybody listens, in a conversation of Ann, Ben and Cleo. */
function server() {
  let looks = 0
  const audience = async () => {
    looks += 1
    return [ann, ben, cleo]
  }
  const delivery = new Delivery({ audience } as Partial<StreamStore> as StreamStore)
  const heard: UserId[] = []
  for (const userId of [ann, ben, cleo, eve]) {
    delivery.listen(APP, userId, { change: () => undefined, typing: () => heard.push(userId) })
  }
  return { delivery, heard, looks: () => looks }
}

it('LAY-40 typing is passed on to the others in it, and to other servers with who they are; a stranger’s is not', async () => {
  const { delivery, heard } = server()
  const passedOn: unknown[] = []
  const stop = delivery.watchTyping((...signal) => passedOn.push(signal))
  await delivery.type(APP, typing)
  await delivery.type(APP, { ...typing, sender: eve })
  stop()
  await delivery.type(APP, typing)
  expect(heard).toEqual([ben, cleo, ben, cleo])
  expect(passedOn).toEqual([[APP, typing, [ann, ben, cleo]]])
})

it('LAY-40 typing at another server is told to those it names, and goes no further', async () => {
  const { delivery, heard, looks } = server()
  delivery.watchTyping(() => {
    throw new Error('It would go round for ever.')
  })
  await delivery.typeElsewhere(APP, typing, [ann, ben])
  expect(heard).toEqual([ben])
  expect(looks()).toBe(0)
})

it('LAY-40 where nobody is named, or who is in it is known better here, those who are in it are told', async () => {
  const { delivery, heard, looks } = server()
  await delivery.typeElsewhere(APP, typing, null)
  await delivery.typeElsewhere(APP, typing, null)
  await delivery.typeElsewhere(APP, typing, [ann, eve])
  expect(heard).toEqual([ben, cleo, ben, cleo, ben, cleo])
  expect(looks()).toBe(1)
})

it('who was in a conversation that nobody here was in since is looked up again', async () => {
  let members = [ann, ben, cleo]
  let looks = 0
  const audience = async () => {
    looks += 1
    return members
  }
  const delivery = new Delivery({ audience } as Partial<StreamStore> as StreamStore, { isAlone: false })
  const heard: UserId[] = []
  const come = (userId: UserId) =>
    delivery.listen(APP, userId, { change: () => undefined, typing: () => heard.push(userId) })
  const leave = come(ann)
  await delivery.type(APP, typing)
  await delivery.type(APP, typing)
  expect(looks).toBe(1)
  // Nobody in it is here any more: this server is not told that Ben was removed.
  leave()
  members = [ann, cleo]
  for (const userId of [ann, ben, cleo]) come(userId)
  await delivery.type(APP, typing)
  expect([heard, looks]).toEqual([[cleo], 2])
})

import { randomUUID } from 'node:crypto'
import type { Uuid } from '@parley/protocol'
import { expect, it } from 'vitest'
import type { App, Store } from '../store/store.ts'
import { KnownApps } from './known-apps.ts'

const ID = randomUUID() as Uuid

function world() {
  const asked: Uuid[] = []
  const apps = new Map([[ID, { id: ID, suspendedAt: null } as unknown as App]])
  const byId = async (id: Uuid) => {
    asked.push(id)
    return apps.get(id)
  }
  let now = 5_000
  const known = new KnownApps({ apps: { byId } as unknown as Store['apps'] }, { now: () => now })
  const pass = (ms: number) => {
    now += ms
  }
  return { known, asked, apps, pass }
}

it('CON-16 an app is looked up once in a second, and as it is after that', async () => {
  const { known, asked, apps, pass } = world()
  expect(await known.find(ID)).toMatchObject({ suspendedAt: null })
  apps.set(ID, { id: ID, suspendedAt: 1 } as unknown as App)
  pass(999)
  expect(await known.find(ID)).toMatchObject({ suspendedAt: null })
  expect(asked).toHaveLength(1)
  pass(1)
  expect(await known.find(ID)).toMatchObject({ suspendedAt: 1 })
  expect(asked).toHaveLength(2)
})

it('75 a clock that is set back makes nothing younger', async () => {
  const { known, asked, pass } = world()
  await known.find(ID)
  pass(-1)
  await known.find(ID)
  expect(asked).toHaveLength(2)
})

it('what is not there is asked for each time, and more than a thousand apps are not remembered', async () => {
  const { known, asked, apps } = world()
  const nowhere = randomUUID() as Uuid
  expect([await known.find(nowhere), await known.find(nowhere)]).toEqual([undefined, undefined])
  expect(asked).toEqual([nowhere, nowhere])
  await known.find(ID)
  for (let nth = 0; nth < 1_000; nth++) {
    const id = randomUUID() as Uuid
    apps.set(id, { id } as App)
    await known.find(id)
  }
  asked.length = 0
  await known.find(ID)
  expect(asked).toEqual([ID])
})

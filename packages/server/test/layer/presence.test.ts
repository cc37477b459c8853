import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../support.ts'
import { identityUri } from './support/rest.ts'
import { enter, type HeardBody, LayerSocket } from './support/socket.ts'

const status = (value: string) => [{ operation: 'set', property: 'status', value }]

describe('presence, as Layer’s clients know it', () => {
  let home: TestServer
  beforeAll(async () => {
    home = await startTestServer()
  })
  afterAll(() => home.close())

  const synced = async (socket: LayerSocket, data: object) => {
    const answer = await socket.request('Presence.sync', data)
    expect(answer.success).toBe(true)
    const { changes } = answer.data as { changes: HeardBody[] }
    return changes.map(({ object, data: patch }) => [
      decodeURIComponent(object!.id.split('/').at(-1)!),
      (patch as { property: string; value: string }[]).find(({ property }) => property === 'presence.status')?.value,
      (patch as { property: string }[]).some(({ property }) => property === 'presence.last_seen_at'),
    ])
  }

  it('LAY-41 whoever has a connection is available, of strangers and the unknown one hears they are offline', async () => {
    const alice = await enter(home, 'alice')
    const ben = await enter(home, 'ben')
    const native = await home.connect('cleo')
    const eve = await enter(home, 'eve')
    await alice.rest.start('ben', 'cleo', 'dana')
    const ids = ['alice', 'ben', 'cleo', 'dana', 'eve', 'nobody'].map(identityUri)
    expect(await synced(alice.socket, { ids })).toEqual([
      ['alice', 'available', true],
      ['ben', 'available', true],
      ['cleo', 'available', true],
      ['dana', 'offline', false],
      ['eve', 'offline', false],
      ['nobody', 'offline', false],
    ])
    expect(await synced(alice.socket, { ids: [] })).toEqual([])
    expect(await synced(alice.socket, { ids: [7, 'layer:///identities/%'] })).toEqual([])
    for (const { socket } of [alice, ben, eve]) socket.close()
    native.close()
  })

  it('LAY-41 changes are told to those who subscribed and know them, offline as invisible to oneself', async () => {
    const alice = await enter(home, 'anna')
    const ben = await enter(home, 'bert')
    const eve = await enter(home, 'erna')
    await alice.rest.start('bert')
    for (const { socket } of [alice, ben, eve]) {
      expect(await socket.request('Presence.subscribe')).toMatchObject({ success: true, data: {} })
    }
    const heard = async ({ socket }: { socket: LayerSocket }) => {
      const told = await socket.hearChange('update Identity')
      const [first] = told.data as { property: string; value: string }[]
      expect(first!.property).toBe('presence.status')
      return [told.object!.id, first!.value]
    }
    expect(await ben.socket.request('Presence.update', status('auto'))).toMatchObject({ success: true, data: {} })
    for (const [said, seen, own] of [
      ['away', 'away', 'away'],
      ['busy', 'busy', 'busy'],
      ['offline', 'offline', 'invisible'],
      ['available', 'available', 'available'],
    ] as const) {
      ben.socket.say({ type: 'request', body: { method: 'Presence.update', data: status(said) } })
      expect(await heard(ben)).toEqual([identityUri('bert'), own])
      expect(await heard(alice)).toEqual([identityUri('bert'), seen])
    }
    ben.socket.close()
    expect(await heard(alice)).toEqual([identityUri('bert'), 'offline'])
    expect(await synced(alice.socket, { ids: [identityUri('bert')] })).toEqual([['bert', 'offline', true]])
    const since = new Date(Date.now() - 60_000).toISOString()
    expect(await synced(alice.socket, { since })).toEqual([['bert', 'offline', true]])
    expect(await synced(alice.socket, { since: new Date(Date.now() + 60_000).toISOString() })).toEqual([])
    const back = await LayerSocket.connect(home.server, ben.rest.token)
    expect(await heard(alice)).toEqual([identityUri('bert'), 'available'])
    await eve.socket.settle()
    expect(eve.socket.heard.filter(({ type }) => type === 'change')).toEqual([])
    for (const socket of [alice.socket, back, eve.socket]) socket.close()
  })
})

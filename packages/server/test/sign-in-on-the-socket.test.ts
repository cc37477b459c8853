/** What becomes of a session that is being opened when its connection, or the server, goes. Nothing is left to time. */
import type { DownFrame } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { NativeConnection } from '../src/edge/native/connection.ts'
import { StoreOutage } from '../src/store/store.ts'
import { assembleInMemory, settled } from './in-memory.ts'

describe('CON-17 a session that is opened by a hello', () => {
  let world: Awaited<ReturnType<typeof assembleInMemory>>
  let connection: NativeConnection
  let heard: DownFrame[]
  let closedWith: number | undefined
  /** Commits wait for it, if it is set. */
  let commit: Promise<void> | undefined
  let goOn: () => void
  let fail: (error: Error) => void
  beforeEach(async () => {
    world = await assembleInMemory(() => commit)
    heard = []
    closedWith = undefined
    commit = undefined
    connection = new NativeConnection(world.edge, {
      sendText: (text) => heard.push(JSON.parse(text)),
      sendFrame: () => undefined,
      sendList: () => undefined,
      drained: async () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      close: (code) => {
        closedWith = code
      },
    })
  })
  const say = (frame: object) => connection.receive(JSON.stringify(frame))
  const turns = async () => {
    for (let turn = 0; turn < 6; turn++) await settled()
  }
  const types = () => heard.map(({ type }) => type)
  const sessionsOf = async (userId: string) => {
    const [app] = await world.edge.store.apps.all()
    return (await world.edge.store.apps.liveSessionsOf(app!.key, userId as never)).length
  }
  /** Says hello, and has the commit wait. */
  async function signIn(userId: string): Promise<void> {
    commit = new Promise((resolve, reject) => {
      goOn = () => {
        commit = undefined
        resolve()
      }
      fail = reject
    })
    commit.catch(() => undefined)
    const [app] = await world.edge.store.apps.all()
    say({ type: 'hello', identity_token: `${userId}:`, app_id: app!.id, cursor: null, epoch: null })
    await turns()
    expect(heard).toEqual([])
  }

  it('is ended if the connection went before the welcome', async () => {
    await signIn('alice')
    connection.gone()
    goOn()
    await turns()
    expect(heard).toEqual([])
    expect(await sessionsOf('alice')).toBe(0)
  })

  it('is told of by a server that stops meanwhile, before it says goodbye', async () => {
    await signIn('alice')
    connection.drain(500)
    await turns()
    expect(heard).toEqual([])
    goOn()
    await turns()
    expect(types()).toEqual(['welcome', 'goodbye'])
    expect(heard[0]).toHaveProperty('session.token')
    expect(heard[1]).toMatchObject({ reason: 'going_away', retry_after_ms: 500 })
    expect([closedWith, await sessionsOf('alice')]).toEqual([1001, 1])
  })

  it('is put off by a store that is out, with a time to come back', async () => {
    await signIn('alice')
    connection.drain(500)
    fail(new StoreOutage('Full.'))
    await turns()
    expect(heard).toMatchObject([{ type: 'goodbye', reason: 'refused', error: { id: 'service_unavailable' } }])
    expect(heard[0]).toHaveProperty('retry_after_ms')
    expect([closedWith, await sessionsOf('alice')]).toEqual([4403, 0])
  })

  it('for which a nonce is asked of a store that does not answer is put off as well', async () => {
    const { apps } = world.edge.store
    const [app] = await apps.all()
    const out = new StoreOutage('Full.')
    Object.assign(world.edge.store, { apps: { ...apps, byId: async () => Promise.reject(out) } })
    say({ type: 'nonce', app_id: app!.id })
    await turns()
    expect(heard).toMatchObject([
      { type: 'goodbye', reason: 'refused', error: { id: 'service_unavailable' }, retry_after_ms: 1_000 },
    ])
    expect(closedWith).toBe(4403)
  })

  it('while a nonce is looked up whatever follows waits for it, and a server that stops does not', async () => {
    const { apps } = world.edge.store
    const [app] = await apps.all()
    let found = () => {}
    const byId = async () => {
      await new Promise<void>((resolve) => {
        found = resolve
      })
      return app
    }
    Object.assign(world.edge.store, { apps: { ...apps, byId } })
    say({ type: 'nonce', app_id: app!.id })
    say({ type: 'ping' })
    await turns()
    expect(heard).toEqual([])
    found()
    await turns()
    expect(types()).toEqual(['nonce', 'refusal'])
    connection.drain(500)
    expect(types().at(-1)).toBe('goodbye')
  })
})

/** Who is here and who types is known at all servers, whichever of them somebody speaks to, in whichever dialect. */
import type { ParleyServer } from '@parley/testkit'
import { until } from '@parley/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { identityUri } from '../layer/support/rest.ts'
import { LayerSocket } from '../layer/support/socket.ts'
import { Cluster, sleep } from './cluster.ts'

/** From one server to the other, in fine weather on a busy machine. */
const PROMPT_MS = 1_000
/** Within this a server that was killed is held for dead by the others. */
const DEAD_MS = 45_000
/** Whoever would be brought back is brought back within this: servers tell each other of their people at once. */
const WATCHED_MS = 5_000

describe('two servers on one store', () => {
  let cluster: Cluster
  const sockets: LayerSocket[] = []
  beforeAll(async () => {
    cluster = await Cluster.start(2)
  })
  afterEach(() => {
    cluster.leave()
    for (const socket of sockets.splice(0)) socket.close()
  })
  afterAll(() => cluster?.close())

  async function enter(node: ParleyServer, userId: string, known?: string): Promise<LayerSocket> {
    const token = known ?? (await cluster.signIn(node, userId))
    const socket = await LayerSocket.connect(node as never, token)
    sockets.push(socket)
    return socket
  }

  type Heard = LayerSocket['heard'][number]

  const statusOf = async (viewer: LayerSocket, userId: string) => {
    const { data } = await viewer.request('Presence.sync', { ids: [identityUri(userId)] })
    const [{ data: patch }] = (data as { changes: [{ data: { property: string; value: string }[] }] }).changes
    return patch.find(({ property }) => property === 'presence.status')!.value
  }

  /** What a packet tells of somebody's presence, and not of their name. */
  const presenceIn = ({ body: { object, data } }: Heard, userId: string) => {
    const isTheirs = object?.id === identityUri(userId) && Array.isArray(data)
    const patch = (isTheirs ? data : []) as readonly { readonly property: string; readonly value: string }[]
    return patch.find(({ property }) => property === 'presence.status')?.value
  }

  /** The next that is told of somebody's presence. */
  const told = async (viewer: LayerSocket, userId: string) =>
    presenceIn(await viewer.hear((packet) => presenceIn(packet, userId) !== undefined), userId)

  /** What was told of somebody's presence, from then on. */
  const presencesOf = (viewer: LayerSocket, userId: string, from: number) =>
    viewer.heard.slice(from).flatMap((packet) => presenceIn(packet, userId) ?? [])

  const says = (value: string) => [{ operation: 'set', property: 'status', value }]

  it('typing at one is shown at the other, never to the one who types and never to strangers', async () => {
    const [ann, ben, eve] = [
      await cluster.connect(cluster.node(0), 'ann'),
      await cluster.connect(cluster.node(1), 'ben'),
      await cluster.connect(cluster.node(1), 'eve'),
    ]
    const annToo = await cluster.connect(cluster.node(1), 'ann')
    const layer = await enter(cluster.node(1), 'cleo')
    const { id } = await ann.create('create-conversation', { participants: ['ben', 'cleo'], distinct: false })
    const conversation = `layer:///conversations/${id}` as const
    // While changes wait for their turn, typing is left out.
    await layer.hearChange('create Conversation')
    await layer.settle()
    for (const action of ['started', 'paused', 'finished'] as const) {
      const from = performance.now()
      ann.say({ type: 'typing', conversation: conversation as never, action })
      expect(await ben.hear('typing')).toMatchObject({ conversation, sender: { user_id: 'ann' }, action })
      expect(performance.now() - from).toBeLessThan(PROMPT_MS)
      const { body } = await layer.hear(({ type, body }) => type === 'signal' && body.object?.id === conversation)
      expect(body.data).toMatchObject({ sender: { user_id: 'ann' }, action })
    }
    layer.say({
      type: 'signal',
      body: { type: 'typing_indicator', object: { id: conversation }, data: { action: 'started' } },
    })
    for (const person of [ann, annToo, ben]) {
      expect(await person.hear('typing')).toMatchObject({ sender: { user_id: 'cleo' }, action: 'started' })
    }
    // A stranger's goes nowhere, and is heard nowhere: what comes after it arrives as the next.
    eve.say({ type: 'typing', conversation: conversation as never, action: 'started' })
    await sleep(200)
    ben.say({ type: 'typing', conversation: conversation as never, action: 'started' })
    expect(await ann.hear('typing')).toMatchObject({ sender: { user_id: 'ben' } })
    expect(eve.heard.filter(({ type }) => type === 'typing')).toEqual([])
    const toAnn = annToo.heard.flatMap((frame) => (frame.type === 'typing' ? [frame.sender.user_id] : []))
    expect(toAnn).not.toContain('ann')
  })

  it('LAY-41 who comes to one, says something and goes is told at the other', async () => {
    const ann = await enter(cluster.node(0), 'ann-p')
    const native = await cluster.connect(cluster.node(0), 'ann-p')
    await native.create('create-conversation', { participants: ['ben-p'], distinct: false })
    await ann.request('Presence.subscribe')
    expect(await statusOf(ann, 'ben-p')).toBe('offline')
    const ben = await enter(cluster.node(1), 'ben-p')
    expect(await told(ann, 'ben-p')).toBe('available')
    expect(await statusOf(ben, 'ann-p')).toBe('available')
    await ben.request('Presence.update', says('busy'))
    expect(await told(ann, 'ben-p')).toBe('busy')
    // What was said holds wherever one comes next.
    const { token } = ben
    ben.close()
    expect(await told(ann, 'ben-p')).toBe('offline')
    await enter(cluster.node(0), 'ben-p', token)
    expect(await told(ann, 'ben-p')).toBe('busy')
    // Invisible: offline to others, and said so to oneself.
    const again = await enter(cluster.node(1), 'ben-p', token)
    await again.request('Presence.update', says('offline'))
    expect(await told(ann, 'ben-p')).toBe('offline')
    expect(await statusOf(again, 'ben-p')).toBe('invisible')
  })

  it('38 a server that is killed takes its people with it within 45 s; one that joins learns who is here', async () => {
    const ann = await enter(cluster.node(0), 'ann-k')
    const native = await cluster.connect(cluster.node(0), 'ann-k')
    const third = await cluster.join()
    await cluster.settled()
    const ben = await cluster.connect(third, 'ben-k')
    const { id } = await native.create('create-conversation', { participants: ['ben-k'], distinct: false })
    await ann.request('Presence.subscribe')
    await until(async () => (await statusOf(ann, 'ben-k')) === 'available', 'ben is seen')
    // Joined after Ann had come: she is seen all the same.
    const onThird = await enter(third, 'ben-k')
    await until(async () => (await statusOf(onThird, 'ann-k')) === 'available', 'ann is seen', 5_000)
    ben.say({ type: 'typing', conversation: `layer:///conversations/${id}` as never, action: 'started' })
    expect(await native.hear('typing')).toMatchObject({ sender: { user_id: 'ben-k' }, action: 'started' })
    const from = performance.now()
    await third.kill()
    await until(async () => (await statusOf(ann, 'ben-k')) === 'offline', 'ben is gone', DEAD_MS)
    console.log(`held for gone ${Math.round((performance.now() - from) / 1_000)} s after the server was killed`)
    const typed = () => native.heard.flatMap((frame) => (frame.type === 'typing' ? [frame.action] : []))
    await until(() => typed().at(-1) === 'finished', 'ben types no more', 5_000)
    // Neither by another that joins and asks who is there, nor by the same one started anew, is he brought back.
    const told = ann.heard.length
    await cluster.join()
    await cluster.join({ port: third.port })
    await sleep(WATCHED_MS)
    expect(await statusOf(ann, 'ben-k')).toBe('offline')
    expect(presencesOf(ann, 'ben-k', told)).not.toContain('available')
    expect(typed().at(-1)).toBe('finished')
  })

  it('38 a server that sleeps for too long takes its people with it, and does not bring back who left meanwhile', async () => {
    const ann = await enter(cluster.node(0), 'ann-s')
    const native = await cluster.connect(cluster.node(0), 'ann-s')
    const sleeper = await cluster.join()
    const ben = await cluster.connect(sleeper, 'ben-s')
    const cleo = await cluster.connect(sleeper, 'cleo-s')
    const { id } = await native.create('create-conversation', { participants: ['ben-s', 'cleo-s'], distinct: false })
    await ann.request('Presence.subscribe')
    for (const user of ['ben-s', 'cleo-s']) {
      await until(async () => (await statusOf(ann, user)) === 'available', `${user} is seen`)
    }
    ben.say({ type: 'typing', conversation: `layer:///conversations/${id}` as never, action: 'started' })
    expect(await native.hear('typing')).toMatchObject({ sender: { user_id: 'ben-s' }, action: 'started' })
    sleeper.pause()
    ben.close()
    for (const user of ['ben-s', 'cleo-s']) {
      await until(async () => (await statusOf(ann, user)) === 'offline', `${user} is gone`, DEAD_MS)
    }
    const [told, typed] = [ann.heard.length, native.heard.length]
    sleeper.resume()
    // Who stayed is here again, as soon as the sleeper knows that it was held for dead; who left is not.
    await until(async () => (await statusOf(ann, 'cleo-s')) === 'available', 'cleo is seen again')
    await sleep(WATCHED_MS)
    expect(presencesOf(ann, 'ben-s', told)).not.toContain('available')
    expect(native.heard.slice(typed).filter(({ type }) => type === 'typing')).toEqual([])
    cleo.close()
  })
})

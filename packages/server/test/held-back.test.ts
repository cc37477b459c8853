/** What follows a put-off operation within one batch. Sockets, store and turns are in memory: nothing is left to time. */
import { randomUUID } from 'node:crypto'
import type { DownFrame } from '@parley/protocol'
import { expect, it } from 'vitest'
import { NativeConnection } from '../src/edge/native/connection.ts'
import { StoreOutage } from '../src/store/store.ts'
import { assembleInMemory, settled } from './in-memory.ts'

it('OPR-5 a chain in one batch is held back whole, not only its first link', async () => {
  /** While set, commits wait for it, and then fail. */
  let outage: Promise<void> | undefined
  const { edge, signIn } = await assembleInMemory(async () => {
    const isOut = outage !== undefined
    await outage
    if (isOut) throw new StoreOutage('Full.')
  })
  const { token } = await signIn('alice', 'Alice')
  const heard: DownFrame[] = []
  const connection = new NativeConnection(edge, {
    sendText: (text) => heard.push(JSON.parse(text)),
    sendFrame: () => undefined,
    sendList: () => undefined,
    drained: async () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    close: () => undefined,
  })
  const say = (frame: object) => connection.receive(JSON.stringify(frame))
  say({ type: 'hello', session_token: token, cursor: null, epoch: null })
  await settled()
  const conversation = randomUUID()
  const input = { id: conversation, participants: ['ben'], distinct: false }
  say({ type: 'operation', id: conversation, name: 'create-conversation', input })
  await settled()
  await settled()
  heard.length = 0

  const ids = Array.from({ length: 4 }, () => randomUUID())
  const send = (index: number) =>
    say({
      type: 'operation',
      id: ids[index],
      name: 'send-message',
      input: { id: ids[index], conversation, parts: [{ mime_type: 'text/plain', body: String(index) }] },
      ...(index > 0 && { after: ids[index - 1] }),
    })
  let endOutage = () => {}
  outage = new Promise((resolve) => {
    endOutage = resolve
  })
  send(0)
  await settled()
  // These wait together for the batch that will not come to anything.
  for (const index of [1, 2, 3]) send(index)
  outage = undefined
  endOutage()
  for (let turn = 0; turn < 4; turn++) await settled()
  expect(heard.map((frame) => frame.type === 'acknowledgement' && 'refusal' in frame && frame.id)).toEqual(ids)
})

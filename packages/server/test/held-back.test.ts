/** What follows a put-off operation within one batch. Sockets, store and turns are in memory: nothing is left to time. */
import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { StoreOutage } from '../src/store/store.ts'
import { assembleInMemory, peerWithBen, settled } from './in-memory.ts'

it('OPR-5 a chain in one batch is held back whole, not only its first link', async () => {
  /** While set, commits wait for it, and then fail. */
  let outage: Promise<void> | undefined
  const { edge, signIn } = await assembleInMemory(async () => {
    const isOut = outage !== undefined
    await outage
    if (isOut) throw new StoreOutage('Full.')
  })
  const { token } = await signIn('alice', 'Alice')
  const { heard, send } = await peerWithBen(edge, token)
  const ids = Array.from({ length: 4 }, () => randomUUID())
  let endOutage = () => {}
  outage = new Promise((resolve) => {
    endOutage = resolve
  })
  send(ids[0]!)
  await settled()
  // These wait together for the batch that will not come to anything.
  for (const index of [1, 2, 3]) send(ids[index]!, ids[index - 1])
  outage = undefined
  endOutage()
  for (let turn = 0; turn < 4; turn++) await settled()
  expect(heard.map((frame) => frame.type === 'acknowledgement' && 'refusal' in frame && frame.id)).toEqual(ids)
})

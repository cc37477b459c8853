import type { OutboxEntry } from '@parley/client'
import { until } from '@parley/testkit'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

export const row: Row = {
  id: 68,
  tier: 'q',
  title: 'operations in the middle of an outbox are refused',
  async run(context) {
    const world = await World.open(context)
    const [alice, ben] = [await world.signedIn('alice'), await world.signedIn('ben')]
    const [lost, kept] = [await world.conversation([alice, ben]), await world.conversation([alice, ben])]
    delete world.members[lost]
    alice.client.disconnect()
    await (await ben.client.conversation(lost).removeParticipants(['alice'])).acknowledged
    for (let i = 0; i < 6; i++) await alice.send(i % 2 === 0 ? kept : lost, `text ${i}`)
    const tooLarge = await alice.send(kept, 'x'.repeat(10_000)).catch((error: { code?: string }) => error.code)
    const failed: OutboxEntry[] = []
    alice.client.on('operation-failed', ({ entries }) => failed.push(...entries))
    alice.client.connect()
    await until(() => failed.length === 3, 'three operations have failed')
    const list = alice.client.messages({ conversation: lost })
    await list.ready
    const shownFailed = list.snapshot().filter(({ status }) => status === 'failed').length
    list.close()

    // Back in: the first is tried again, the second is given up, the third is tried again.
    await (await ben.client.conversation(lost).addParticipants(['alice'])).acknowledged
    const [first, second, third] = failed
    await alice.client.outbox.retry(first!.id)
    const dropped = await alice.client.outbox.discard(second!.id)
    await alice.client.outbox.retry(third!.id)
    world.heal()
    const { findings, figures, history } = await world.examine({ except: ['C2', 'C5'] })
    const texts = async (conversation: string) =>
      (await (await ben.replica()).scan('messages', { prefix: [conversation] }))
        .map(({ parts }) => parts[0]!.body)
        .join()
    const [inKept, inLost] = [await texts(kept), await texts(lost)]
    const stuck = history.devices.flatMap(({ leftInOutbox }) => leftInOutbox)
    return judge({
      bites: failed.length,
      findings,
      figures: { ...figures, shownFailed, dropped: dropped.length, tooLarge: String(tooLarge) },
      holds: {
        'the others went, in order': inKept === 'text 0,text 2,text 4',
        'what was tried again is there and what was given up is not': inLost === 'text 1,text 5',
        'the screen showed exactly those as failed': shownFailed === 3,
        'what is too large is refused before it is taken on': tooLarge === 'too_large',
        'nothing is left in the outbox': stuck.length === 0,
      },
    })
  },
}

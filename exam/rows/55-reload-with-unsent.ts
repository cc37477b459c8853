import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const UNSENT = 50

export const row: Row = {
  id: 55,
  tier: 'q',
  title: 'fifty messages written offline, and a reload the moment the last call returned',
  async run(context) {
    const world = await World.open(context)
    const [writer, reader] = [await world.signedIn('alice'), await world.signedIn('ben')]
    const conversation = await world.conversation([writer, reader])
    writer.client.disconnect()
    await Promise.all(Array.from({ length: UNSENT }, (_, i) => writer.send(conversation, `text ${i}`)))
    await writer.reload()
    const kept = await (await writer.replica()).count('outbox')
    world.heal()
    writer.client.connect()
    const { findings, figures, history } = await world.examine({ except: ['C11'] })
    const rows = await (await reader.replica()).scan('messages', { prefix: [conversation] })
    const wanted = Array.from({ length: UNSENT }, (_, i) => `text ${i}`)
    const stuck = history.devices.flatMap(({ leftInOutbox }) => leftInOutbox)
    return judge({
      bites: kept,
      findings,
      figures: { ...figures, kept, arrived: rows.length },
      holds: {
        'all were in the outbox after the reload': kept === UNSENT,
        'they arrived once and in order': rows.map(({ parts }) => parts[0]?.body).join() === wanted.join(),
        // The promises of the page that is gone can never settle; the outbox is what counts.
        'nothing is left in an outbox': stuck.length === 0,
      },
    })
  },
}

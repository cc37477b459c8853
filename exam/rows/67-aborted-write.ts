import { allBack } from '../load/killing.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

/** Commits of a short visit: from signing in to the last receipt. */
const COMMITS = 24
const AT_ONCE = 6

export const row: Row = {
  id: 67,
  tier: 'q',
  title: 'each write of a device fails once, one device for each',
  limitMs: 20_000,
  async run(context) {
    const world = await World.open(context)
    const host = await world.signedIn('alice')
    let aborts = 0
    const visit = async (nth: number) => {
      let commits = 0
      const device = world.make({
        userId: `visitor ${nth}`,
        beforeCommit() {
          if (++commits !== nth) return
          aborts++
          throw Object.assign(new Error('The transaction was aborted.'), { code: 'broken' })
        },
      })
      // A call that fails has changed nothing, so that it is simply made again, as its user would.
      await again(() => device.signIn())
      const conversation = await again(async () => {
        const made = await device.client.createConversation({ participants: ['alice'], distinct: false })
        await made.acknowledged
        return made.id
      })
      for (let i = 0; i < 3; i++) await again(() => device.send(conversation, `${device.name} text ${i}`))
      await again(() => device.client.conversation(conversation).markRead())
    }
    for (let nth = 1; nth <= COMMITS; nth += AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, COMMITS - nth + 1) }, (_, i) => visit(nth + i)))
    }
    const hosted = await host.client.conversations({ window: 100 })
    await hosted.ready
    world.heal()
    await allBack(world)
    for (const device of world.devices) if (device !== host) await device.reload()
    await allBack(world)
    const { findings, figures, history } = await world.examine({ except: ['C11'] })
    const stuck = history.devices.flatMap(({ leftInOutbox }) => leftInOutbox)
    const copies = history.store.find(({ identity }) => identity === host.identity)!.copy.rows
    const texts = copies.filter(({ row }) => row.type === 'message').length
    return judge({
      bites: aborts,
      findings,
      figures: { ...figures, texts },
      holds: {
        'every message of every visitor is there once': texts === COMMITS * 3,
        // Promises given before a reload belong to a page that is gone.
        'nothing is left in an outbox': stuck.length === 0,
      },
    })
  },
}

async function again<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch {
    return call()
  }
}

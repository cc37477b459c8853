import { until } from '@parley/testkit'
import { allBack } from '../load/killing.ts'
import { chatter } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const CRASHES = 12

export const row: Row = {
  id: 57,
  tier: 'q',
  title: 'a device crashes between receiving and writing, again and again',
  async run(context) {
    const world = await World.open(context)
    const writers = await world.team(['alice', 'ben'])
    let commitsLeft = Number.POSITIVE_INFINITY
    let crashes = 0
    const victim = await world.signedIn('cleo', {
      beforeCommit(writes) {
        const isDown = writes.some(({ table }) => table === 'messages' || table === 'streams')
        if (!isDown || commitsLeft === Number.POSITIVE_INFINITY || --commitsLeft > 0) return
        crashes++
        commitsLeft = Number.POSITIVE_INFINITY
        // What a page that is gone would have written is not written.
        throw Object.assign(new Error('The page is gone.'), { code: 'closed' })
      },
    })
    const devices = [...writers, victim]
    const conversation = await world.conversation(devices)
    const load = chatter(writers, conversation, 4)
    victim.watch(conversation)
    for (let crash = 1; crash <= CRASHES; crash++) {
      commitsLeft = 1 + context.chance.below(6)
      await until(() => crashes === crash, 'the device crashes')
      await victim.reload()
      await until(() => victim.isLive, 'the device is back')
      await pause(50)
    }
    await load.stop()
    world.heal()
    await allBack(world)
    const { findings, figures } = await world.examine()
    return judge({ bites: crashes, findings, figures })
  },
}

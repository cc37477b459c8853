import { startTcpProxy } from '@parley/testkit'
import { hastyClock } from '../load/hasty-clock.ts'
import { chatter } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

/** A device notices silence after 30 + 10 s by its clock. */
const SPEED = 10

export const row: Row = {
  id: 45,
  tier: 'n',
  title: 'the line is dead from the server to the devices, and alive the other way',
  async run(context) {
    const world = await World.open(context)
    const proxy = await startTcpProxy({ target: { port: world.server.port } })
    context.onEnd(() => proxy.close())
    const websocketUrl = `ws://127.0.0.1:${proxy.port}`
    const devices = []
    for (const userId of ['alice', 'ben', 'cleo']) {
      devices.push(await world.signedIn(userId, { websocketUrl, clock: hastyClock(SPEED) }))
    }
    const conversation = await world.conversation(devices)
    devices[0]!.watch(conversation)
    const load = chatter(devices, conversation, 4)
    let stalls = 0
    for (let round = 0; round < 4; round++) {
      await pause(1_000)
      const before = world.recorder.acknowledged
      proxy.stall('down')
      // Long enough for the devices to give the line up and to try another, which is as dead.
      await pause(8_000)
      if (world.recorder.acknowledged - before < 50) stalls++
      await proxy.calm()
    }
    world.heal()
    await load.stop()
    const { findings, figures } = await world.examine({ timeoutMs: 30_000 })
    const reconnects = proxy.accepted - devices.length
    return judge({ bites: stalls, findings, figures: { ...figures, reconnects } })
  },
}

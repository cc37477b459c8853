import type { DownFrame, UpFrame } from '@parley/protocol'
import { until } from '@parley/testkit'
import { proxyFor } from '../load/frame-faults.ts'
import { allBack } from '../load/killing.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { now } from '../load/recorder.ts'
import { committedPositions } from '../load/store-file.ts'
import { chatter, mixed } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const DRAIN_MS = 10_000
/** Others beside those who chat, so that there is something to spread. */
const CROWD = 300
/** What a server that stops spreads its clients over: 2 ms for each. */
const WINDOW_MS = 2 * (CROWD + 6)

/** How often to look, a tenth of a second apart, whether the last answers have been read. */
const LOOKS = 20

export const row: Row = {
  id: 13,
  tier: 'q',
  title: 'the server is asked to stop while people chat',
  limitMs: 20_000,
  async run(context) {
    const world = await World.open(context)
    const asked = new Set<string>()
    const hints: number[] = []
    const proxy = await proxyFor(context, world, (direction, text) => {
      const frame = JSON.parse(text) as UpFrame | DownFrame
      if (direction === 'up' && frame.type === 'operation') asked.add(frame.id)
      if (frame.type === 'acknowledgement') asked.delete(frame.id)
    })
    const devices = []
    for (const userId of ['alice', 'alice', 'ben', 'ben', 'cleo', 'cleo']) {
      devices.push(await world.signedIn(userId, { websocketUrl: proxy.url }))
    }
    const conversation = await world.conversation(devices)
    const token = await world.server.signIn('dana')
    for (let i = 0; i < CROWD; i++) {
      const visitor = await RawVisitor.greeted(world.server.websocketUrl, token)
      visitor.socket.on('message', (data) => {
        const frame = JSON.parse(String(data)) as DownFrame
        if (frame.type === 'move') hints.push(frame.after_ms)
      })
    }
    const loads = [
      chatter(devices, conversation, 4),
      mixed({ world, chance: context.chance, conversations: [conversation] }),
    ]
    await until(() => world.recorder.acknowledged > 50, 'the load is running')
    const startedAt = now()
    const exit = await world.server.terminate()
    const drainMs = now() - startedAt
    const committed = committedPositions(world.server.dataFolder)
    const unanswered = () => [...asked].filter((id) => committed.has(`layer:///messages/${id}`)).length
    // What it said lies in our sockets, whatever we are busy with; it says nothing any more.
    for (let looks = 0; unanswered() > 0 && looks < LOOKS; looks++) await pause(100)
    const silent = unanswered()
    await world.server.start()
    world.heal()
    await allBack(world)
    for (const load of loads) await load.stop()
    const { findings, figures } = await world.examine()
    const spread = (Math.max(...hints) - Math.min(...hints)) / WINDOW_MS
    return judge({
      bites: exit.code === 0 ? hints.length : 0,
      findings,
      figures: { ...figures, drainMs: Math.round(drainMs), unanswered: asked.size, silent, spread: spread.toFixed(2) },
      holds: {
        'it stopped in time': drainMs <= DRAIN_MS * context.slowness,
        'what was carried out was answered': silent === 0,
        'the clients were asked to go spread over the window': spread >= 0.8,
      },
    })
  },
}

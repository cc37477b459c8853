import type { DownFrame } from '@parley/protocol'
import { until } from '@parley/testkit'
import { proxyFor } from '../load/frame-faults.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { now } from '../load/recorder.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const CONVERSATIONS = 500
const MESSAGES = 90
const EDITS = 9
const LIVE_MS = 30_000
const MAX_GROWTH_BYTES = 50 * 1024 * 1024

export const row: Row = {
  id: 53,
  tier: 'n',
  title: 'a device comes back to 50,000 changes in 500 conversations',
  async run(context) {
    const world = await World.open(context)
    const seen = new Map<string, number>()
    let isCounting = false
    let twice = 0
    const proxy = await proxyFor(context, world, (direction, text) => {
      if (!isCounting || direction === 'up') return
      const frame = JSON.parse(text) as DownFrame
      if (frame.type !== 'rows') return
      for (const row of frame.rows) {
        const key = `${frame.stream} ${row.type} ${row.sequence}`
        if (seen.has(key)) twice++
        seen.set(key, row.sequence)
      }
    })
    const device = await world.signedIn('ben', { websocketUrl: proxy.url })
    const alice = await RawVisitor.greeted(world.server.websocketUrl, await world.server.signIn('alice'))
    context.onEnd(() => alice.socket.terminate())
    const conversations: string[] = []
    for (let i = 0; i < CONVERSATIONS; i++) conversations.push(await alice.conversation(['ben']))
    alice.heard.length = 0
    await until(() => device.isLevel(), 'the device has all conversations', 60_000)
    device.client.disconnect()
    let changes = 0
    let answered = 0
    alice.socket.on('message', (data) => {
      if (String(data).startsWith('{"type":"acknowledgement"')) answered++
      alice.heard.length = 0
    })
    for (const conversation of conversations) {
      for (let i = 0; i < MESSAGES; i++) alice.say(RawVisitor.text(conversation, `text ${i}`).frame)
      for (let i = 0; i < EDITS; i++) {
        const patch = [{ operation: 'set', property: 'metadata.topic', value: `edit ${i}` }]
        alice.say({
          type: 'operation',
          id: crypto.randomUUID(),
          name: 'update-conversation',
          input: { conversation, patch },
        })
      }
      changes += MESSAGES + EDITS
      await until(() => answered === changes, 'all of it is answered')
    }
    const before = world.server.process.residentBytes()
    let peak = before
    const watch = setInterval(() => {
      peak = Math.max(peak, world.server.process.residentBytes())
    }, 50)
    isCounting = true
    const startedAt = now()
    device.client.connect()
    await until(() => device.isLive, 'the device is back')
    await until(() => device.isLevel(), 'the device is level', 120_000)
    const levelMs = now() - startedAt
    clearInterval(watch)
    const messages = await (await device.replica()).count('messages')
    return judge({
      bites: changes,
      figures: {
        changes,
        rows: seen.size,
        twice,
        levelMs: Math.round(levelMs),
        growthMB: Math.round((peak - before) / 2 ** 20),
      },
      holds: {
        'each row was sent once': twice === 0 && seen.size < changes,
        'everything is there': messages === CONVERSATIONS * MESSAGES,
        'it was level within 30 s': levelMs <= LIVE_MS * context.slowness,
        'the server grew by no more than 50 MB': peak - before <= MAX_GROWTH_BYTES,
      },
    })
  },
}

import { LocalServer } from '../load/local-server.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { minterOf } from '../load/reachable-server.ts'
import { readCopy } from '../load/store-view.ts'
import { chatter } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const DAY_MS = 24 * 3_600_000
const SKEWS = { ahead: 3 * DAY_MS, behind: -3 * DAY_MS }

export const rows: readonly Row[] = [
  {
    id: 76,
    tier: 'q',
    title: 'devices whose clocks are three days ahead and behind',
    async run(context) {
      const world = await World.open(context)
      const skewed = (ms: number) => ({
        now: () => performance.now(),
        wall: () => Date.now() + ms,
        after(wait: number, task: () => void) {
          const timer = setTimeout(task, wait)
          return () => clearTimeout(timer)
        },
      })
      const devices = [await world.signedIn('right')]
      for (const [userId, ms] of Object.entries(SKEWS)) {
        devices.push(await world.signedIn(userId, { clock: skewed(ms) }))
      }
      const conversation = await world.conversation(devices)
      for (const device of devices) device.watch(conversation)
      const load = chatter(devices, conversation, 2)
      await pause(1_500)
      await load.stop()
      const { findings, figures } = await world.examine()
      let furthestMs = 0
      for (const device of devices) {
        const query = device.client.messages({ conversation, window: 100_000 })
        await query.ready
        for (const { sentAt } of query.snapshot()) {
          furthestMs = Math.max(furthestMs, Math.abs((sentAt?.getTime() ?? 0) - Date.now()))
        }
        query.close()
      }
      return judge({
        bites: devices.length - 1,
        findings,
        figures: { ...figures, furthestMs: Math.round(furthestMs) },
        holds: { 'the times shown are the server’s': furthestMs < 60_000 },
      })
    },
  },
  {
    id: 78,
    tier: 'q',
    title: 'the server’s clock leaps from the end of 2026 to 2038 and to 2106',
    async run(context) {
      const instants = ['2026-12-31T23:59:58Z', '2038-01-19T03:14:06Z', '2038-01-20T00:00:00Z', '2106-02-08T00:00:00Z']
      let wall = Date.parse(instants[0]!)
      const clock = {
        now: () => wall,
        after(ms: number, task: () => void) {
          const timer = setTimeout(task, Math.min(ms, 2 ** 31 - 1))
          return () => clearTimeout(timer)
        },
      }
      const server = await LocalServer.start(context, { clock })
      server.minter = minterOf(server.app, { now: () => wall })
      let conversation = ''
      const sentAt: string[] = []
      const sessions: string[] = []
      for (const [i, instant] of instants.entries()) {
        wall = Date.parse(instant)
        const token = await server.signIn('alice')
        const alice = await RawVisitor.greeted(server.websocketUrl, token)
        context.onEnd(() => alice.socket.terminate())
        conversation ||= await alice.conversation(['ben'])
        const { id, frame } = RawVisitor.text(conversation, `text ${i}`)
        alice.say(frame)
        const answer = await alice.hears('acknowledgement', (one) => one.id === id)
        sentAt.push('result' in answer ? String(answer.result.sent_at) : 'refused')
        sessions.push((await alice.hears('welcome')).session.id)
        const { copy } = await readCopy(server.websocketUrl, token)
        const count = copy.rows.filter(({ row }) => row.type === 'message').length
        if (count !== i + 1) sentAt.push(`${count} messages instead of ${i + 1}`)
        alice.socket.close()
      }
      const times = instants.map((instant) => new Date(instant).toISOString())
      return judge({
        bites: instants.length - 1,
        figures: { last: sentAt.at(-1)! },
        holds: {
          'each message bears its time': sentAt.join() === times.join(),
          'later ids sort after earlier ones': [...sessions].sort().join() === sessions.join(),
        },
      })
    },
  },
]

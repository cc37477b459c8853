import { arrivalDelays } from '../checker/checks/wake-up.ts'
import { percentile } from '../checker/percentile.ts'
import { openFiles } from '../instruments/open-files.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { readCopy } from '../load/store-view.ts'
import { until } from '../load/until.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const SLOW = 12
const PART = 'x'.repeat(2_000)
const PARTS = 12
const MAX_MESSAGES = 1_500
const TOO_SLOW = 4413
const CUT_MS = 6_000
const MAX_GROWTH_BYTES = 150 * 1024 * 1024

export const row: Row = {
  id: 89,
  tier: 'q',
  title: 'some sockets stop reading while much is said to them',
  limitMs: 20_000,
  async run(context) {
    const world = await World.open(context)
    const { server } = world
    const [writer, reader] = [await world.signedIn('alice'), await world.signedIn('ben')]
    const conversation = await world.conversation([writer, reader])
    await (await writer.client.conversation(conversation).addParticipants(['cleo'])).acknowledged
    const token = await server.signIn('cleo')
    const slow = await Promise.all(Array.from({ length: SLOW }, () => RawVisitor.greeted(server.websocketUrl, token)))
    for (const visitor of slow) context.onEnd(() => visitor.socket.terminate())
    const before = server.process.residentBytes()
    let peak = before
    // The kernel keeps some megabytes for each before the server notices anything.
    for (const visitor of slow) visitor.socket.pause()
    const isCut = () => openFiles(server.process.pid).sockets <= sockets - SLOW
    const sockets = openFiles(server.process.pid).sockets
    let sent = 0
    let cut = false
    while (!cut && sent < MAX_MESSAGES) {
      const burst = Array.from({ length: 20 }, () =>
        writer.operate(
          'send-message',
          conversation,
          () =>
            writer.client
              .conversation(conversation)
              .sendMessage(Array.from({ length: PARTS }, () => ({ mime_type: 'text/plain', body: PART }))),
          { body: `large ${sent++}` },
        ),
      )
      for (const one of await Promise.all(burst)) await one?.acknowledged
      peak = Math.max(peak, server.process.residentBytes())
      cut = isCut()
    }
    // Who does not even take the goodbye is cut off three seconds later.
    await until(isCut, 'the slow readers are cut off', CUT_MS).catch(() => undefined)
    cut ||= isCut()
    for (const visitor of slow) visitor.socket.resume()
    const codes = await Promise.all(slow.map((visitor) => visitor.closed()))
    await until(() => server.process.isRunning, 'the server lives')
    // All texts are the same on purpose: sameness is not a doubling here.
    const { findings, figures, history } = await world.examine({ except: ['C3'] })
    const delays = arrivalDelays(history).map(({ delayMs }) => delayMs)
    const { copy } = await readCopy(server.websocketUrl, token)
    const caughtUp = copy.rows.filter(({ row: one }) => one.type === 'message').length
    return judge({
      bites: cut ? SLOW : 0,
      findings,
      figures: {
        ...figures,
        codes: [...new Set(codes)].join('+'),
        growthMB: Math.round((peak - before) / 2 ** 20),
        p99Ms: Math.round(percentile(delays, 0.99)),
        caughtUp,
      },
      holds: {
        'each was cut at its bound': codes.every((code) => code === TOO_SLOW || code === 1006),
        'memory stayed within 150 MB': peak - before <= MAX_GROWTH_BYTES,
        'who comes back gets everything': caughtUp === sent,
      },
    })
  },
}

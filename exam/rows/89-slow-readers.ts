import { until } from '@parley/testkit'
import { arrivalDelays } from '../checker/checks/wake-up.ts'
import { percentile } from '../checker/percentile.ts'
import { openFiles } from '../instruments/open-files.ts'
import { IdleReaders } from '../load/idle-readers.ts'
import { now } from '../load/recorder.ts'
import { readCopy } from '../load/store-view.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const SLOW = 100
/** Twenty-four thousand bytes a message: the kernel keeps some megabytes for each socket before the server notices. */
const PARTS = Array.from({ length: 12 }, () => ({ mime_type: 'text/plain', body: 'x'.repeat(2_000) }))
/** Forty messages a second to each of a hundred: four times a thousand, so that the kernel is full soon. */
const EVERY_MS = 25
const READING_MS = 1_500
const STALLED_MS = 10_000
/** Who does not even take the goodbye is cut off three seconds later; "too slow" is heard by who takes it. */
const CODES = [4413, 1006]
const MAX_GROWTH_BYTES = 150 * 2 ** 20
/** A fifth more than while all read, or prompt all the same. */
const MAX_RATIO = 1.2
const PROMPT_MS = 150

export const row: Row = {
  id: 89,
  tier: 'q',
  title: 'a hundred sockets stop reading while thousands of messages a second go to them',
  limitMs: 40_000,
  async run(context) {
    const world = await World.open(context)
    const { server } = world
    const [writer, reader] = [await world.signedIn('alice'), await world.signedIn('ben')]
    const conversation = await world.conversation([writer, reader])
    await (await writer.client.conversation(conversation).addParticipants(['cleo'])).acknowledged
    const token = await server.signIn('cleo')
    const slow = await IdleReaders.open(context, server.websocketUrl, token, SLOW)
    const sockets = () => openFiles(server.process.pid).sockets
    const open = sockets()
    const isCut = () => sockets() <= open - SLOW
    let sent = 0
    const say = async () => {
      const call = () => writer.client.conversation(conversation).sendMessage(PARTS)
      const message = await writer.operate('send-message', conversation, call, { body: `large ${sent++}` })
      await message?.acknowledged
    }
    await speak(say, READING_MS, () => false)
    const before = server.process.residentBytes()
    let peak = before
    await slow.tell('stop')
    const stoppedAt = now()
    await speak(say, STALLED_MS * context.slowness, () => {
      peak = Math.max(peak, server.process.residentBytes())
      return isCut()
    })
    const cutAfterMs = now() - stoppedAt
    const cut = isCut()
    await slow.tell('read')
    await until(() => slow.codes !== undefined, 'the slow readers know that they are cut off')
    // All texts are the same on purpose: sameness is not a doubling here.
    const { findings, figures, history } = await world.examine({ except: ['C3'] })
    const delays = arrivalDelays(history)
    const p99 = (isStalled: boolean) =>
      percentile(
        delays.flatMap(({ acceptedAt, delayMs }) => (acceptedAt >= stoppedAt === isStalled ? [delayMs] : [])),
        0.99,
      )
    const [readingMs, stalledMs] = [p99(false), p99(true)]
    const { copy } = await readCopy(server.websocketUrl, token)
    const caughtUp = copy.rows.filter(({ row: one }) => one.type === 'message').length
    return judge({
      bites: cut ? SLOW : 0,
      findings,
      figures: {
        ...figures,
        codes: Object.keys(slow.codes ?? {}).join('+'),
        cutAfterMs: Math.round(cutAfterMs),
        perSecond: Math.round((SLOW * sent) / ((READING_MS + cutAfterMs) / 1000)),
        growthMB: Math.round((peak - before) / 2 ** 20),
        readingP99Ms: readingMs.toFixed(1),
        stalledP99Ms: stalledMs.toFixed(1),
        caughtUp,
      },
      holds: {
        'each was cut at its bound': Object.keys(slow.codes ?? {}).every((code) => CODES.includes(Number(code))),
        'memory stayed within 150 MB': peak - before <= MAX_GROWTH_BYTES,
        'others heard as soon as before, by a fifth, or promptly':
          stalledMs <= Math.max(MAX_RATIO * readingMs, PROMPT_MS * context.slowness),
        'who comes back gets everything': caughtUp === sent,
      },
    })
  },
}

/** Says something in even steps, however long each takes, until time or the matter is over. */
async function speak(say: () => Promise<void>, ms: number, isOver: () => boolean): Promise<void> {
  const startedAt = now()
  const said: Promise<void>[] = []
  for (let next = startedAt; now() - startedAt < ms && !isOver(); next += EVERY_MS) {
    said.push(say())
    await pause(Math.max(0, next + EVERY_MS - now()))
  }
  await Promise.all(said)
}

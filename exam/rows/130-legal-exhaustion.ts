import { statSync } from 'node:fs'
import { storeFile } from '@parley/server'
import { until } from '@parley/testkit'
import { watched } from '../instruments/resources.ts'
import { ExamServer } from '../load/exam-server.ts'
import { Probe } from '../load/probe.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { now } from '../load/recorder.ts'
import { pause } from '../load/world.ts'
import { judge, type Row, type RowContext } from '../row.ts'

const CONVERSATIONS = 100_000
const TYPING = 1_000_000
const DEVICES = 1_000
/** Operations of one connection under way, below the limit. */
const WINDOW = 200
const TYPING_AT_ONCE = 5_000
/** No query may hold the lane for longer, and who comes waits for the batch under way and for their own. */
const LANE_MS = 2 * 200
const MAX_GROWTH_BYTES = 512 * 1024 * 1024
const MAX_BYTES_PER_CONVERSATION = 4_096

export const row: Row = {
  id: 130,
  tier: 'n',
  title:
    'all that is allowed, in excess: 100,000 conversations, a million typing signals, huge pages and metadata, 1,000 devices',
  limitMs: 240_000,
  async run(context) {
    const server = await ExamServer.start(context, { env: watched })
    const glutton = await visit(context, server, 'glutton')
    const probe = await Probe.start(context, server)
    const before = server.process.residentBytes()
    let peak = before
    const watch = setInterval(() => {
      peak = Math.max(peak, server.process.residentBytes())
    }, 200)
    context.onEnd(() => clearInterval(watch))

    const [first] = await probe.during('conversations', () => found(glutton, CONVERSATIONS))
    const listMs = await probe.during('lists', () => askForMuch(server))
    const heard = await probe.during('typing', () => typeForEver(context, server, glutton, first!))
    const refusals = await probe.during('metadata', () => fillMetadata(glutton, first!))
    const reached = await probe.during('devices', () => manyDevices(context, server))
    clearInterval(watch)
    const { size } = statSync(storeFile(server.dataFolder))
    const worst = probe.worst()
    return judge({
      bites: CONVERSATIONS + TYPING + DEVICES,
      figures: {
        laneMs: Object.entries(worst)
          .map(([when, ms]) => `${when}:${ms}`)
          .join('+'),
        listMs: Math.round(listMs),
        typingHeard: heard,
        refusals: refusals.join('+'),
        reached,
        growthMB: Math.round((peak - before) / 2 ** 20),
        storeMB: Math.round(size / 2 ** 20),
      },
      holds: {
        [`nobody else's send took longer than ${LANE_MS} ms`]: Object.values(worst).every(
          (ms) => ms <= LANE_MS * context.slowness,
        ),
        'a page of a thousand million is a page of a hundred': Number.isFinite(listMs),
        'of a million typing signals few were passed on, and some': heard > 0 && heard < TYPING / 100,
        'too much metadata was refused, and by name': refusals.length > 0 && refusals.every((id) => id !== 'taken'),
        'all thousand devices heard the message': reached === DEVICES,
        'memory stayed within bounds': peak - before <= MAX_GROWTH_BYTES,
        'so did the store': size <= CONVERSATIONS * MAX_BYTES_PER_CONVERSATION,
        'the server lives': server.process.isRunning && server.record.unaskedExits.length === 0,
      },
    })
  },
}

async function visit(context: RowContext, server: ExamServer, name: string): Promise<RawVisitor> {
  const visitor = await RawVisitor.greeted(server.websocketUrl, await server.signIn(name))
  context.onEnd(() => visitor.socket.terminate())
  return visitor
}

/** So many conversations of one person; answers some of them. */
async function found(visitor: RawVisitor, count: number): Promise<string[]> {
  let [asked, answered] = [0, 0]
  const some: string[] = []
  await new Promise<void>((resolve) => {
    const ask = () => {
      while (asked < count && asked - answered < WINDOW) {
        const input = { participants: ['layer:///identities/somebody'], distinct: false }
        const { id, frame } = RawVisitor.creating('create-conversation', input)
        if (some.length < 10) some.push(`layer:///conversations/${id}`)
        asked++
        visitor.say(frame)
      }
    }
    visitor.socket.on('message', (data) => {
      visitor.heard.length = 0
      if (!String(data).startsWith('{"type":"acknowledgement"')) return
      if (++answered === count) resolve()
      else ask()
    })
    ask()
  })
  visitor.socket.removeAllListeners('message')
  return some
}

/** The longest of the lists that one may ask for, as large as one likes. */
async function askForMuch(server: ExamServer): Promise<number> {
  const token = await server.signIn('glutton')
  let longestMs = 0
  for (const sort of ['created_at', 'last_message']) {
    for (const size of ['100', '1000000000']) {
      const startedAt = now()
      const page = await server.request('GET', `/conversations?page_size=${size}&sort_by=${sort}`, undefined, token)
      longestMs = Math.max(longestMs, now() - startedAt)
      if ((page as unknown[]).length !== 100) return Number.NaN
    }
  }
  return longestMs
}

async function typeForEver(
  context: RowContext,
  server: ExamServer,
  glutton: RawVisitor,
  conversation: string,
): Promise<number> {
  const listener = await visit(context, server, 'somebody')
  let heard = 0
  listener.socket.on('message', (data) => {
    listener.heard.length = 0
    if (String(data).startsWith('{"type":"typing"')) heard++
  })
  const frame = JSON.stringify({ type: 'typing', conversation, action: 'started' })
  for (let sent = 0; sent < TYPING; sent += TYPING_AT_ONCE) {
    for (let i = 0; i < TYPING_AT_ONCE; i++) glutton.socket.send(frame)
    await until(() => glutton.socket.bufferedAmount < 1_000_000, 'the signals are taken')
    await pause(0)
  }
  await pause(500)
  return heard
}

/** Metadata beyond what is allowed, one way after the other; answers what each was refused with. */
async function fillMetadata(visitor: RawVisitor, conversation: string): Promise<string[]> {
  visitor.socket.on('message', (data) => visitor.heard.push(JSON.parse(String(data))))
  const deep = (levels: number): unknown => (levels === 0 ? 'x' : { a: deep(levels - 1) })
  const many = Object.fromEntries(Array.from({ length: 4_000 }, (_, i) => [`k${i}`, 'v']))
  const large = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, 'v'.repeat(2_000)]))
  const refusals: string[] = []
  for (const value of [deep(20), many, large, { text: 'x'.repeat(60_000) }, { ['k'.repeat(4_000)]: 'v' }]) {
    const id = crypto.randomUUID()
    const patch = [{ operation: 'set', property: 'metadata', value }]
    visitor.say({ type: 'operation', id, name: 'update-conversation', input: { conversation, patch } })
    const answer = await Promise.race([
      visitor.hears('acknowledgement', (one) => one.id === id),
      visitor.hears('refusal').then((refusal) => ({ refusal: refusal.error })),
    ])
    refusals.push('refusal' in answer ? answer.refusal.id : 'taken')
    visitor.heard.length = 0
  }
  return [...new Set(refusals)]
}

/** One person with as many devices; answers how many of them heard a message. */
async function manyDevices(context: RowContext, server: ExamServer): Promise<number> {
  const devices: RawVisitor[] = []
  while (devices.length < DEVICES) {
    devices.push(...(await Promise.all(Array.from({ length: 20 }, () => visit(context, server, 'collector')))))
  }
  const conversation = await devices[0]!.conversation(['somebody'])
  const { frame } = RawVisitor.text(conversation, 'to all my devices')
  for (const device of devices) device.heard.length = 0
  devices[0]!.say(frame)
  const hasHeard = (device: RawVisitor) =>
    device.heard.some((one) => one.type === 'change' && one.rows.some(({ type }) => type === 'message'))
  await until(() => devices.every(hasHeard), 'all devices have heard', 10_000).catch(() => undefined)
  return devices.filter(hasHeard).length
}

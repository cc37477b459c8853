import type { DownFrame, UpFrame } from '@parley/protocol'
import { proxyFor } from '../load/frame-faults.ts'
import { chatter, mixed } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

/** How a peer of a later version speaks: it knows more frames, more kinds of rows, and more about everything. */
const NEWS = { from_tomorrow: { is: ['new'] } }

export const row: Row = {
  id: 106,
  tier: 'q',
  title: 'devices and a server of tomorrow meet those of today',
  async run(context) {
    const world = await World.open(context)
    let bites = 0
    const translate = (direction: 'up' | 'down', text: string): string[] => {
      const frame = JSON.parse(text) as UpFrame | DownFrame
      bites++
      if (direction === 'up') {
        if (frame.type !== 'operation') return [JSON.stringify({ ...frame, ...NEWS })]
        return [JSON.stringify({ ...frame, ...NEWS, input: { ...frame.input, ...NEWS } })]
      }
      const told: object[] = [
        { ...frame, ...NEWS },
        { type: 'fanfare', volume: 11 },
      ]
      if ((frame.type === 'change' || frame.type === 'rows') && frame.rows.length > 0) {
        const { sequence } = frame.rows.at(-1)!
        const rows = frame.rows.map((one) => ({ ...one, ...NEWS }))
        told[0] = { ...frame, ...NEWS, rows: [...rows, { type: 'reaction', sequence, message: 1, heart: true }] }
      }
      return told.map((one) => JSON.stringify(one))
    }
    const proxy = await proxyFor(context, world, undefined, translate)
    const devices = []
    for (const userId of ['alice', 'alice', 'ben']) {
      devices.push(await world.signedIn(userId, { websocketUrl: proxy.url }))
    }
    const conversation = await world.conversation(devices)
    const loads = [
      chatter(devices, conversation, 2),
      mixed({ world, chance: context.chance, conversations: [conversation] }),
    ]
    await pause(1_000)
    // A late one downloads what the others were told of as it happened.
    await world.signedIn('ben', { websocketUrl: proxy.url })
    for (const load of loads) await load.stop()
    // Rows are kept as they came, with what is new in them: only what is understood is compared.
    const { findings, figures, history } = await world.examine({ except: ['C8'], timeoutMs: 1_500 })
    const counts = history.devices.map(({ copy }) => copy.rows.length)
    const unknown = history.devices
      .flatMap(({ copy }) => copy.rows)
      .filter(({ row: one }) => !KNOWN.has(one.type)).length
    return judge({
      bites,
      findings,
      figures: { ...figures, reconnects: proxy.accepted - devices.length - 1, unknown },
      holds: {
        'nobody hung up over it': proxy.accepted === devices.length + 1,
        'nothing unknown was taken for something else': unknown === 0,
        'devices of one person hold as much': counts[0] === counts[1] && counts[2] === counts[3],
      },
    })
  },
}

const KNOWN = new Set(['conversation', 'participant', 'message', 'membership'])

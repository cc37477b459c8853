import type { StreamId } from '@parley/protocol'
import type { Tables } from '@parley/server/in-process'
import type { Device } from '../device.ts'

/** Whether everybody is connected, nothing waits to be sent and no stream is behind: time to look the world over. */
export function isAtRest(tables: Tables, devices: readonly Device[]): boolean {
  return devices.every(
    (device) =>
      device.clients.every(({ state }) => state.state === 'authenticated') && device.isLive && isLevel(tables, device),
  )
}

function isLevel(tables: Tables, device: Device): boolean {
  const entries = device.disk.table('outbox').all() as { readonly state: { readonly state: string } }[]
  if (entries.some(({ state }) => state.state !== 'failed') || device.openCalls.length > 0) return false
  const streams = device.disk.table('streams').all() as readonly {
    readonly stream: StreamId
    readonly sequence: number
    readonly head: number
    readonly complete: boolean
  }[]
  const inbox = tables.people.get(`1 ${device.userId}`)?.inboxSequence ?? 0
  const sequences = new Map(streams.map((one) => [one.stream, one.sequence]))
  return (
    (sequences.get('inbox') ?? 0) === inbox &&
    streams.every((one) => one.sequence >= one.head && (one.stream === 'inbox' || one.complete)) &&
    isKnown(tables, device, sequences)
  )
}

/** Every conversation of this person's is as far on the device as on the server. */
function isKnown(tables: Tables, device: Device, streams: ReadonlyMap<string, number>): boolean {
  for (const [name, { record, headSequence }] of tables.conversations) {
    const own = tables.participants.get(name)?.get(device.userId as never)
    if (!own || (own.state !== 'joined' && own.state !== 'hidden')) continue
    if ((streams.get(`layer:///conversations/${record.id}`) ?? 0) < headSequence) return false
  }
  return true
}

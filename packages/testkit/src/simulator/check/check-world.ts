import type { Tables } from '@parley/server/in-process'
import type { Deed } from '../deeds.ts'
import type { Device } from '../device.ts'
import type { Timeline } from '../timeline.ts'
import { checkDeeds } from './check-deeds.ts'
import { checkLog } from './check-log.ts'
import { checkReplica } from './check-replica.ts'
import { checkViews } from './check-views.ts'

/** Everything that must hold of a world at rest. */
export async function checkWorld(of: {
  readonly tables: Tables
  readonly devices: readonly Device[]
  readonly deeds: readonly Deed[]
  /** Conversations asked for → what the server made of them. */
  readonly aliases: ReadonlyMap<string, string>
  /** Operations the server refused for good at least once, whether anybody heard it or not. */
  readonly refused: ReadonlySet<string>
  readonly timeline: Timeline
}): Promise<string[]> {
  const { tables, devices, deeds, aliases, refused, timeline } = of
  const findings = [...checkLog(tables), ...checkDeeds(tables, devices, deeds, aliases, refused)]
  for (const device of devices) {
    for (const { state } of device.clients) {
      if (state.state !== 'authenticated') findings.push(`${device.name}: is ${state.state} after healing`)
    }
    if (!device.isLive) findings.push(`${device.name}: has no connection after healing`)
    for (const call of device.openCalls) findings.push(`${device.name}: ${call} never settles`)
    for (const entry of device.disk.table('outbox').all() as OutboxRow[]) {
      if (entry.state.state !== 'failed')
        findings.push(`${device.name}: ${entry.name} is ${entry.state.state} in the outbox`)
      else if (!entry.state.error) findings.push(`${device.name}: ${entry.name} failed without a reason`)
    }
    findings.push(...checkReplica(tables, device))
  }
  // Last, since screens are read in time, and time brings the end of sessions and of lines.
  for (const device of devices) findings.push(...(await checkViews(tables, device, timeline)))
  return findings
}

interface OutboxRow {
  readonly name: string
  readonly state: { readonly state: string; readonly error?: unknown }
}

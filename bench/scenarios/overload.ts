/** What becomes of a server that is asked for several times what it can do. */
import { join } from 'node:path'
import type { OverloadInput, OverloadResult } from '../load/overload.ts'
import { Load } from '../load/start-load.ts'
import { Server } from '../servers/start-server.ts'

export interface Overload extends OverloadResult {
  readonly peakMiB: number
  readonly residentMiB: number
  readonly serverCores: number
  /** Sentence → whether it holds. */
  readonly holds: Readonly<Record<string, boolean>>
}

export interface OverloadOptions {
  readonly seconds: number
  readonly factor: number
  /** Messages without an answer that a sender has on its line. */
  readonly unanswered: number
  readonly pairs: number
  readonly capacitySeconds: number
}

const LEAST_PART = 0.8
const BACK_WITHIN_MS = 10_000

export async function measureOverload(
  { seconds, factor, pairs, unanswered, capacitySeconds }: OverloadOptions,
  say: (line: string) => void,
): Promise<Overload> {
  const server = await Server.start('parley')
  try {
    const load = new Load('overload', {
      ready: server.ready,
      storeFile: join(server.folder, 'parley.sqlite'),
      pairs,
      factor,
      unanswered,
      capacityMs: capacitySeconds * 1000,
      overloadMs: seconds * 1000,
    } satisfies OverloadInput)
    const { capacityPerSecond } = await load.next<{ capacityPerSecond: number }>()
    say(`It can do ${Math.round(capacityPerSecond)} messages/s. Now ${factor} times that for ${seconds} s.`)
    const before = server.cpuSeconds
    const result = await load.next<OverloadResult>()
    const cpuSeconds = server.cpuSeconds - before
    await load.close()
    const { peakMiB, residentMiB } = server
    return {
      ...result,
      peakMiB,
      residentMiB,
      serverCores: cpuSeconds / seconds,
      holds: judge(result),
    }
  } finally {
    await server.close()
  }
}

function judge(result: OverloadResult): Record<string, boolean> {
  const { acknowledgedPerSecond, capacityPerSecond, silent, withoutTime, undelivered, missing, backAfterMs } = result
  const [before, during, after] = result.typingHeard
  return {
    'at least 80 % of its capacity is carried out': acknowledgedPerSecond >= LEAST_PART * capacityPerSecond,
    'the rest stays with its sender or is refused with a time to come back, and never met with silence':
      silent === 0 && withoutTime === 0,
    'typing is left out before messages are, and heard again after':
      during < Math.min(before, after) && during < acknowledgedPerSecond / result.offeredPerSecond,
    'what is acknowledged is in the store and delivered': missing === 0 && undelivered === 0,
    'nobody is cut off': result.cut === 0,
    'what was refused is carried out when it is asked again': result.retriedInVain === 0,
    'all is as before within ten seconds': backAfterMs <= BACK_WITHIN_MS,
  }
}

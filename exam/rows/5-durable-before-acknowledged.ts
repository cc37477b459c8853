import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@parley/testkit'
import { lookIntoStore } from '../load/store-file.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const SENDS = 100

export const row: Row = {
  id: 5,
  tier: 'q',
  title: 'what is acknowledged was flushed to the disk before, seen from outside the process',
  async run(context) {
    if (!hasStrace()) return judge({ bites: 0, figures: { missing: 'strace (apt-get install strace)' } })
    const world = await World.open(context)
    const device = await world.signedIn('alice')
    const conversation = await world.conversation([device])
    const folder = mkdtempSync(join(tmpdir(), 'parley-strace-'))
    context.onEnd(() => rmSync(folder, { recursive: true, force: true }))
    const trace = join(folder, 'trace')
    const calls = 'trace=write,writev,pwrite64,fsync,fdatasync'
    const pid = String(world.server.process.pid)
    const strace = spawn('strace', ['-f', '-qq', '-y', '-s', '4096', '-e', calls, '-o', trace, '-p', pid])
    context.onEnd(() => strace.kill())
    await until(() => isTraced(pid), 'strace watches the server')
    for (let i = 0; i < SENDS; i++) await (await device.send(conversation, `text ${i}`))?.acknowledged
    strace.kill('SIGINT')
    await new Promise((resolve) => strace.once('exit', resolve))
    const { covered, acknowledged, fsyncs } = order(readFileSync(trace, 'utf8'))
    const synchronous = lookIntoStore(world.server.dataFolder, (store) =>
      store.pragma('journal_mode', { simple: true }),
    )
    const { findings } = await world.examine()
    return judge({
      bites: fsyncs,
      findings,
      figures: { acknowledged, covered, fsyncs, journal: String(synchronous) },
      holds: { 'every acknowledgement was covered by a flush': acknowledged >= SENDS && covered === acknowledged },
    })
  },
}

function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const isTraced = (pid: string) => !/^TracerPid:\s+0$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

/**
 * Walks through what the kernel was asked for, in order: a write to the log makes the store dirty, a flush of the log that
 * has ended makes it clean, and an acknowledgement may only be written while it is clean and after a flush of its own.
 */
export function order(trace: string): { covered: number; acknowledged: number; fsyncs: number } {
  let [covered, acknowledged, fsyncs] = [0, 0, 0]
  let isDirty = false
  let flushed = 0
  /** Flushes that have begun and not ended, by thread. */
  const underWay = new Set<string>()
  for (const line of trace.split('\n')) {
    const thread = line.split(' ', 1)[0]!
    const isFlush = /\bf(?:data)?sync\(/.test(line)
    if (/\bpwrite64\(\d+<[^>]*-wal>/.test(line)) isDirty = true
    if (isFlush && line.includes('-wal>') && line.includes('<unfinished')) underWay.add(thread)
    const hasResumed = /<\.\.\. f(?:data)?sync resumed>/.test(line) && underWay.delete(thread)
    if (hasResumed || (isFlush && line.includes('-wal>') && line.endsWith('= 0'))) {
      isDirty = false
      fsyncs++
      flushed++
    }
    // strace writes quotes within what was written with a backslash before them.
    const answers = line.match(/type\\":\\"acknowledgement/g)?.length ?? 0
    if (answers === 0 || !/\bwritev?\(\d+<(?:socket|TCP)/.test(line)) continue
    acknowledged += answers
    if (!isDirty && flushed > 0) covered += answers
    flushed = 0
  }
  return { covered, acknowledged, fsyncs }
}

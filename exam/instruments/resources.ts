import { fileURLToPath } from 'node:url'
import type { ResourceRecord, Resources } from '../checker/history.ts'
import { percentile } from '../checker/percentile.ts'
import type { ExamServer } from '../load/exam-server.ts'
import { openFiles } from './open-files.ts'

const preload = fileURLToPath(new URL('loop-lag.mjs', import.meta.url))

/** The environment of a server that says how late its event loop is. */
export const watched = { NODE_OPTIONS: `--import ${preload}` }

export const resourcesOf = ({ process }: ExamServer): Resources => ({
  rssBytes: process.residentBytes(),
  files: openFiles(process.pid).all,
})

/**
 * What a server took and gave back. Its lateness is that of a middling second: on a machine that others use as well, the
 * worst one tells more about them.
 */
export function resourceRecord(server: ExamServer, before: Resources): ResourceRecord {
  const lags = server.record.lines.flatMap((line) => /"loopLagP99Ms":(\d+)/.exec(line)?.[1] ?? []).map(Number)
  return { before, after: resourcesOf(server), eventLoopP99Ms: percentile(lags, 0.5) }
}

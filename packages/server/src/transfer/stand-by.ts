import { randomUUID } from 'node:crypto'
import type { TransferMark } from '../store/sqlite/transfer-mark.ts'
import { TransferRefused } from './refusal.ts'
import type { Source } from './source.ts'

/** How long a running server has for an answer: it looks twice a second, and then connects to the database. */
const ANSWER_MS = 10_000
/** How long it has for going over. */
const OVER_MS = 10_000
const LOOK_MS = 50

/**
 * Asks the server that runs on the file to connect to the database and be ready to go over.
 * @returns its process id; undefined if nobody has the file open
 * @throws TransferRefused if it cannot, or whoever has the file open does not answer
 */
export async function askToStandBy(source: Source, url: string, mark: TransferMark): Promise<number | undefined> {
  if (!source.isShared()) return undefined
  const question = randomUUID()
  source.putMark({ ...mark, asked: { question, url } })
  const deadline = performance.now() + ANSWER_MS
  let lookAgainAt = performance.now() + 2_000
  while (performance.now() < deadline) {
    const { answer } = source
    if (answer?.question === question) {
      if (answer.state !== 'unable') return answer.pid
      throw new TransferRefused(`The server that runs on this store cannot go over: ${answer.trouble}`)
    }
    await sleep(LOOK_MS)
    // Another command may have had it open for a moment, and a server may have been stopped.
    if (performance.now() < lookAgainAt) continue
    lookAgainAt += 2_000
    if (!source.isShared()) return undefined
  }
  throw new TransferRefused(
    `Some program has ${source.file} open and does not say that it is ready to go over: a server of an earlier version, or ` +
      'one that hangs. Stop it and run the same command again; nothing was switched over.',
  )
}

/** Whether that server has gone over. */
export async function untilOver(source: Source): Promise<boolean> {
  const deadline = performance.now() + OVER_MS
  while (performance.now() < deadline) {
    if (source.answer?.state === 'went-over') return true
    await sleep(LOOK_MS)
  }
  return false
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/**
 * Loaded into a server that is examined, before its own code: says once a second how late the event loop was, so that
 * the server itself need not know that it is watched. Time in which it was ready to run and others had the processor is
 * not counted: on a machine that others use as well it would tell about them.
 */
import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const TICK_MS = 10
const SECOND_MS = 1_000

/** Milliseconds this process's main thread has waited for a processor; 0 where nobody counts them. */
function waitedMs() {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

if (isMainThread) {
  let late = /** @type {number[]} */ ([])
  let before = { at: performance.now(), waited: waitedMs() }
  let saidAt = before.at
  setInterval(() => {
    const now = { at: performance.now(), waited: waitedMs() }
    late.push(Math.max(0, now.at - before.at - TICK_MS - (now.waited - before.waited)))
    before = now
    if (now.at - saidAt < SECOND_MS) return
    late.sort((a, b) => a - b)
    console.error(JSON.stringify({ loopLagP99Ms: Math.round(late[Math.ceil(late.length * 0.99) - 1] ?? 0) }))
    late = []
    saidAt = now.at
  }, TICK_MS).unref()
}

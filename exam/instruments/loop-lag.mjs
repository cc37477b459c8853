/**
 * Loaded into a server that is examined, before its own code: says once a second how late the event loop was, so that
 * the server itself need not know that it is watched.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  setInterval(() => {
    // What the histogram holds includes the ten milliseconds between two looks.
    console.error(JSON.stringify({ loopLagP99Ms: Math.max(0, Math.round(delay.percentile(99) / 1e6 - 10)) }))
    delay.reset()
  }, 1_000).unref()
}

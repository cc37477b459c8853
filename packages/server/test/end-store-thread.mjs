// Loaded into a server before anything else: at SIGUSR2 the thread that writes its store is no more.

import { syncBuiltinESMExports } from 'node:module'
import threads, { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  /** @type {import('node:worker_threads').Worker[]} */
  const started = []
  threads.Worker = class extends threads.Worker {
    /** @param {string | URL} file @param {import('node:worker_threads').WorkerOptions} options */
    constructor(file, options) {
      super(file, options)
      started.push(this)
    }
  }
  syncBuiltinESMExports()
  process.on('SIGUSR2', () => void started[0]?.terminate())
}

/** A store's own thread: answers questions in the order they come. */
import { parentPort, workerData } from 'node:worker_threads'
import { openParts } from './sqlite-store.ts'
import type { Answer, FromThread, Question, ToThread } from './store-thread.ts'

/** Questions that came together are answered together, unless that would keep the first ones waiting for so long. */
const MAX_KEPT_MS = 1

const port = parentPort!
const say = (message: FromThread) => port.postMessage(message)

const { file, mustBeSound } = workerData as { readonly file: string; readonly mustBeSound: boolean }

try {
  const { parts, db, epoch } = openParts(file, { mustBeSound })

  const answer = ({ id, part, method, args }: Question): Answer => {
    try {
      return { id, value: parts[part][method]!(...(args as never[])) }
    } catch (error) {
      const { name, message, code } = error as Error & { code?: string }
      return { id, error: { name, message, ...(code !== undefined && { code }) } }
    }
  }

  say({ epoch })
  port.on('message', (message: ToThread) => {
    if (message === 'close') {
      db.close()
      port.close()
      return
    }
    let answers: Answer[] = []
    let from = performance.now()
    for (const question of message) {
      answers.push(answer(question))
      if (performance.now() - from < MAX_KEPT_MS) continue
      say(answers)
      answers = []
      from = performance.now()
    }
    if (answers.length > 0) say(answers)
  })
} catch (error) {
  say({ unusable: (error as Error).message })
}

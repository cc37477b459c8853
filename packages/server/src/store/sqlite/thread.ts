/** A store's own thread: answers questions in the order they come. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Answer, openParts, type Question } from './sqlite-store.ts'

const port = parentPort!
const answer = (message: Answer) => port.postMessage(message)

const { file, mustBeSound } = workerData as { readonly file: string; readonly mustBeSound: boolean }

try {
  const { parts, db, epoch } = openParts(file, { mustBeSound })
  answer({ epoch })
  port.on('message', (question: Question | 'close') => {
    if (question === 'close') {
      db.close()
      port.close()
      return
    }
    try {
      answer({ id: question.id, value: parts[question.part][question.method]!(...(question.args as never[])) })
    } catch (error) {
      const { name, message, code } = error as Error & { code?: string }
      answer({ id: question.id, error: { name, message, ...(code !== undefined && { code }) } })
    }
  })
} catch (error) {
  answer({ unusable: (error as Error).message })
}

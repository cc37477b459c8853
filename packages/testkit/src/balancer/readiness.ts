import { get } from 'node:http'
import type { Target } from './target.ts'

/** Between one answer and the next question. */
const EVERY_MS = 200
/** A node that takes longer is as good as silent. */
const PATIENCE_MS = 1_000
/** Silent so many times in a row, it is held for dead: a busy one may miss one. */
const SILENCES = 2

/** Asks a node again and again whether it is ready. The answer stops it. */
export function watchReadiness(target: Target): () => void {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let silences = 0
  const ask = async () => {
    const status = await statusOf(target)
    if (isStopped) return
    silences = status === 'silent' ? silences + 1 : 0
    if (status === 200) target.putIn('it says it is ready')
    else if (status === 'refused') target.takeOut('nobody listens there')
    else if (status !== 'silent') target.takeOut(`it says it is not ready (${status})`)
    else if (silences >= SILENCES) {
      target.takeOut('it does not answer')
      target.cut()
    }
    timer = setTimeout(ask, EVERY_MS)
  }
  void ask()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}

function statusOf({ host, port }: Target): Promise<number | 'refused' | 'silent'> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/readyz', agent: false, timeout: PATIENCE_MS }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 'silent')
    })
    request.once('timeout', () => request.destroy())
    request.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'),
    )
  })
}

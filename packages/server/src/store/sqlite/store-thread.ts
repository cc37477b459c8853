/**
 * A thread that holds the store, seen from the server's own: questions go in, answers come back in their order. Waking a
 * thread costs more than most questions, so those of one turn of the event loop travel together.
 */
import { Worker } from 'node:worker_threads'
import { StoreOutage } from '../store.ts'
import { asKnownError } from './known-error.ts'
import type { StorePart } from './sqlite-store.ts'

export interface StoreThread {
  readonly epoch: string
  call(part: StorePart, method: string, args: readonly unknown[]): Promise<unknown>
  /** Whether it has nothing to do. */
  readonly isIdle: boolean
  /** How long it was at work so far. */
  readonly busyMs: number
  close(): Promise<void>
}

export interface Question {
  readonly id: number
  readonly part: StorePart
  readonly method: string
  readonly args: readonly unknown[]
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string; readonly code?: string } }

/** What travels to a thread. */
export type ToThread = readonly Question[] | 'close'
/** What travels back: first whether the store could be opened, then answers. */
export type FromThread = { readonly epoch: string } | { readonly unusable: string } | readonly Answer[]

export interface ThreadOptions {
  readonly mustBeSound: boolean
  /** Called if the thread ends though nobody asked it to; with what it died of, if that is known. */
  readonly died: (cause: unknown) => void
}

export async function startThread(file: string, { mustBeSound, died }: ThreadOptions): Promise<StoreThread> {
  const workerData = { file, mustBeSound }
  const worker = new Worker(new URL('./thread.js', import.meta.url), { workerData, execArgv: [] })
  const asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let gathered: Question[] = []
  let next = 0
  let cause: unknown
  let isOpen = false
  let isOver = false

  const hear = (answer: Answer) => {
    const waiting = asked.get(answer.id)
    asked.delete(answer.id)
    if ('value' in answer) waiting?.resolve(answer.value)
    else waiting?.reject(asKnownError(Object.assign(new Error(answer.error.message), answer.error)))
  }
  const send = () => {
    if (gathered.length === 0) return
    const questions = gathered
    gathered = []
    worker.postMessage(questions satisfies ToThread)
  }

  const epoch = await new Promise<string>((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if ('epoch' in message) resolve(message.epoch)
      else if ('unusable' in message) {
        reject(Object.assign(new Error(message.unusable), { code: 'store_unusable' }))
      } else for (const answer of message) hear(answer)
    })
    worker.on('error', (error) => {
      cause = error
      reject(error)
    })
    worker.on('exit', () => {
      isOver = true
      if (isOpen) died(cause)
      for (const { reject: fail } of asked.values()) fail(new StoreOutage('The store has stopped.'))
      asked.clear()
    })
  })
  isOpen = true
  return {
    epoch,
    call: (part, method, args) =>
      new Promise((resolve, reject) => {
        if (isOver) return reject(new StoreOutage('The store is closed.'))
        asked.set(++next, { resolve, reject })
        if (gathered.push({ id: next, part, method, args }) > 1) return
        // The write lane has gathered already, and everybody waits for it; who reads on is about to be busy with what was
        // read before.
        if (part === 'log' || method === 'writtenConversations') send()
        else setImmediate(send)
      }),
    get isIdle() {
      return !isOver && asked.size === 0
    },
    get busyMs() {
      return worker.performance.eventLoopUtilization().active
    },
    async close() {
      send()
      isOpen = false
      if (!isOver) await closeWorker(worker)
    },
  }
}

export function closeWorker(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    // A thread that has ended, by itself or because it was closed before, says nothing more.
    if (worker.threadId === -1) return resolve()
    worker.once('exit', () => resolve())
    worker.postMessage('close')
  })
}

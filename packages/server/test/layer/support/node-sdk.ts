/** The SDK in a process of its own, in Node: one client to a process, since its registry knows apps only. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { SdkHost, type SdkHostOptions } from './sdk-host.ts'

const program = fileURLToPath(new URL('./node-sdk-process.ts', import.meta.url))

export type FromSdkProcess =
  | { readonly type: 'up' }
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly type: 'challenge'; readonly id: number; readonly nonce: string }

export async function openNodeSdk({ identityToken, ...options }: SdkHostOptions): Promise<SdkHost> {
  const child = fork(program, [JSON.stringify(options)], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const errors: string[] = []
  let ended: Error | undefined
  child.stderr?.on('data', (text) => errors.push(String(text)))
  const up = new Promise<void>((resolve, reject) => {
    child.on('message', (message: FromSdkProcess) => {
      if (message.type === 'up') return resolve()
      if (message.type === 'challenge') {
        void identityToken(message.nonce).then((token) => child.send({ type: 'token', id: message.id, token }))
        return
      }
      const waiting = asked.get(message.id)
      asked.delete(message.id)
      if (message.error === undefined) waiting?.resolve(message.value)
      else waiting?.reject(new Error(message.error))
    })
    child.on('exit', () => {
      const error = new Error(`The SDK's process ended: ${errors.join('').slice(-2_000)}`)
      ended = error
      for (const { reject: fail } of asked.values()) fail(error)
      reject(error)
    })
  })
  await up
  let next = 0
  return new SdkHost({
    evaluate: (source, arg) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended)
        asked.set(++next, { resolve, reject })
        child.send({ type: 'evaluate', id: next, source, arg }, (error) => error && reject(error))
      }),
    close: () => end(child),
  })
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill()
  })
}

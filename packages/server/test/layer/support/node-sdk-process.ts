/**
 * What the SDK needs of a browser, in Node: its own recipe of globals, then the package as published. Rich content is out
 * of reach here, since this XMLHttpRequest sends no Blob.
 */
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import type { LayerModule } from 'layer-websdk'
import type { FromSdkProcess } from './node-sdk.ts'
import { createWorld, type WorldOptions } from './sdk-world.ts'

type ToSdkProcess =
  | { readonly type: 'evaluate'; readonly id: number; readonly source: string; readonly arg: unknown }
  | { readonly type: 'token'; readonly id: number; readonly token: string }

const require = createRequire(import.meta.url)
const options = JSON.parse(process.argv[2]!) as WorldOptions
const bus = new EventEmitter()
const put = (name: string, value: unknown) =>
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
put('addEventListener', (name: string, handler: () => void) => bus.on(name, handler))
put('removeEventListener', (name: string, handler: () => void) => bus.off(name, handler))
put('postMessage', (data: unknown) => setImmediate(() => bus.emit('message', { data })))
put('window', globalThis)
put('XMLHttpRequest', pageRequest(require('xhr2') as typeof XMLHttpRequest, options.url))
put('WebSocket', pageSocket((require('ws') as { WebSocket: typeof WebSocket }).WebSocket))
put('FileReader', require('filereader'))

const say = (message: FromSdkProcess) => process.send!(message)
const tokens = new Map<number, (token: string) => void>()
let challenges = 0

const world = createWorld(
  require('layer-websdk') as LayerModule,
  options,
  (nonce) =>
    new Promise((resolve) => {
      tokens.set(++challenges, resolve)
      say({ type: 'challenge', id: challenges, nonce })
    }),
)

process.on('message', (message: ToSdkProcess) => {
  if (message.type === 'token') return tokens.get(message.id)!(message.token)
  const { id, source, arg } = message
  // The function is the test's own, sent as text because it has to run here.
  const task = new Function(`return (${source})`)() as (sdk: typeof world, arg: unknown) => unknown
  void Promise.resolve()
    .then(() => task(world, arg))
    .then(
      (value) => say({ type: 'answer', id, value: plain(value) }),
      (error) =>
        say({ type: 'answer', id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
})

/**
 * A browser's socket that fails with nobody to hear it fails in silence. The SDK relies on it: it listens no longer to one that
 * did not open in time, and closes it.
 */
function pageSocket(Socket: typeof WebSocket): typeof WebSocket {
  return class extends Socket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols)
      this.addEventListener('error', () => undefined)
    }
  }
}

/**
 * A browser reads an address against the page's own. The SDK relies on it: it does not look whether rich content was
 * refused, and asks for an address that is not there.
 */
function pageRequest(Request: typeof XMLHttpRequest, page: string): typeof XMLHttpRequest {
  return class extends Request {
    override open(method: string, address: string | URL): void {
      super.open(method, new URL(String(address), page).href)
    }
  }
}

/** Objects of the SDK, which a task may answer in passing, lead to each other in circles. */
function plain(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value ?? null)) as unknown
  } catch {
    return null
  }
}

say({ type: 'up' })

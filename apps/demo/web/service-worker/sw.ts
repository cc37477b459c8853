/**
 * Keeps the app's shell (page, script, style, icon) and its public configuration on the device, so that the page loads
 * without a network. It never sees conversations: those live in the client's replica, and go with it on sign-out.
 */
interface Shell {
  readonly version: string
  readonly files: readonly string[]
}
/** The little of a service worker's surroundings that is used here; the page's types and a worker's don't mix. */
interface WorkerEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface FetchRequestEvent extends WorkerEvent {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}
interface WorkerScope {
  addEventListener(type: 'install' | 'activate', listen: (event: WorkerEvent) => void): void
  addEventListener(type: 'fetch', listen: (event: FetchRequestEvent) => void): void
  skipWaiting(): Promise<void>
  readonly clients: { claim(): Promise<void> }
  readonly location: Location
}
declare const __SHELL__: Shell
declare const self: unknown

const worker = self as WorkerScope
const shell = __SHELL__
const CACHE = `parley-shell-${shell.version}`
const SLOW_NETWORK_MS = 3_000

worker.addEventListener('install', (event) => {
  event.waitUntil(install())
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(activate())
})

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== worker.location.origin) return
  if (event.request.mode === 'navigate') event.respondWith(newest('/', isOfThisShell))
  else if (url.pathname === '/config.json') event.respondWith(newest('/config.json'))
  else if (url.pathname.startsWith('/assets/') || url.pathname === '/icon.svg') event.respondWith(kept(event.request))
})

async function install(): Promise<void> {
  const cache = await caches.open(CACHE)
  await cache.addAll([...shell.files, '/icon.svg', '/config.json'])
  await worker.skipWaiting()
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith('parley-shell-') && name !== CACHE)
  await Promise.all(old.map((name) => caches.delete(name)))
  await worker.clients.claim()
}

/** From the network if it answers soon, else what was kept. */
async function newest(path: string, isWorthKeeping = async (_response: Response) => true): Promise<Response> {
  const cache = await caches.open(CACHE)
  try {
    const response = await fetchSoon(path)
    if (response.ok && (await isWorthKeeping(response.clone()))) await cache.put(path, response.clone())
    return response
  } catch (cause) {
    const copy = await cache.match(path)
    if (copy) return copy
    throw cause
  }
}

/** A page of another version would ask for files that are not here; its own worker will keep it. */
async function isOfThisShell(page: Response): Promise<boolean> {
  const text = await page.text()
  return shell.files.every((file) => text.includes(file))
}

async function fetchSoon(path: string): Promise<Response> {
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), SLOW_NETWORK_MS)
  try {
    return await fetch(path, { signal: patience.signal, cache: 'no-cache' })
  } finally {
    clearTimeout(timer)
  }
}

/** Hashed names never change their content. */
async function kept(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request)
}

export {}

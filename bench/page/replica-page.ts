/** In the browser: the SDK takes in all that was missed, while a screen shows the list of conversations. */
import { createClient } from '@parley/client'
import type { InPage } from '../scenarios/replica.ts'

declare const window: InPage & { identityTokenFor(nonce: string): Promise<string> }

window.takeIn = async ({ appId, url, messages }) => {
  const longTasks: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTasks.push(entry.duration)
  })
  const client = createClient({ appId, url, challenge: ({ nonce }) => window.identityTokenFor(nonce) })
  await client.opened
  const list = client.conversations()
  const stop = list.subscribe(() => undefined)
  // What loading the page took is not the matter here.
  observer.observe({ type: 'longtask' })
  const from = performance.now()
  await client.authenticate('reader')
  await new Promise<void>((resolve) => {
    const look = () => {
      if (client.history.state === 'complete' && client.history.messages >= messages) resolve()
    }
    client.on('history', look)
    look()
  })
  const wallMs = performance.now() - from
  // Tasks are told of after their end.
  await new Promise((resolve) => setTimeout(resolve, 300))
  stop()
  const count = await countMessages(`parley:${appId}`)
  await client.close()
  return { wallMs, messages: count, longTasks }
}

function countMessages(name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name)
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const counting = opening.result.transaction('messages').objectStore('messages').count()
      counting.onsuccess = () => {
        opening.result.close()
        resolve(counting.result)
      }
    }
  })
}

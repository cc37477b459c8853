import type { Page } from 'playwright-core'

/**
 * Everything the page's origin keeps in this browser, as one text: IndexedDB, both storages, caches and cookies that
 * scripts can read.
 */
export async function keptText(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    const found: string[] = [document.cookie, location.href, JSON.stringify(history.state)]
    for (const storage of [localStorage, sessionStorage]) found.push(JSON.stringify({ ...storage }))
    for (const { name } of await indexedDB.databases()) {
      if (!name) continue
      const database = await settled(indexedDB.open(name))
      found.push(name)
      for (const store of database.objectStoreNames) {
        const rows = database.transaction(store).objectStore(store)
        found.push(JSON.stringify([await settled(rows.getAllKeys()), await settled(rows.getAll())]))
      }
      database.close()
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name)
      for (const request of await cache.keys()) {
        found.push(request.url, (await (await cache.match(request))?.text()) ?? '')
      }
    }
    return found.join('\n')
  })
}

/** IndexedDB speaks in events; these say the same in promises. */

export function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** Resolves once the transaction's writes are as durable as it asked for, rejects with what undid them. */
export function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
}

/** The last values of a range, last first. Without a promise for each: a page is read at every change of a screen. */
export function readBackwards<T>(store: IDBObjectStore, range: IDBKeyRange | undefined, limit: number): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const values: T[] = []
    const request = store.openCursor(range, 'prev')
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const cursor = request.result
      if (cursor) values.push(cursor.value)
      if (cursor && values.length < limit) cursor.continue()
      else resolve(values)
    }
  })
}

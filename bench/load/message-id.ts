import { randomUUID } from 'node:crypto'

/**
 * A message id as the SDK mints them, version 7: the time, then chance. It matters to whoever keeps an index by id: ids of
 * chance alone touch a page of it each.
 */
export function messageId(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

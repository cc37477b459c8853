/** Tells of moments at which it is worth looking whether the connection still lives. Answers how to stop. */
export type Hints = (look: () => void) => () => void

/** The browser's own signs: back online, offline, visible again. Nowhere else are there any. */
export const systemHints: Hints = (look) => {
  const target = globalThis as Partial<Pick<typeof globalThis, 'addEventListener' | 'removeEventListener' | 'document'>>
  if (typeof target.addEventListener !== 'function') return () => {}
  const { document } = target
  const lookIfVisible = () => {
    if (document?.visibilityState === 'visible') look()
  }
  target.addEventListener('online', look)
  target.addEventListener('offline', look)
  document?.addEventListener('visibilitychange', lookIfVisible)
  return () => {
    target.removeEventListener?.('online', look)
    target.removeEventListener?.('offline', look)
    document?.removeEventListener('visibilitychange', lookIfVisible)
  }
}

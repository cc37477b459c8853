/**
 * Tells of moments at which it is worth looking whether the connection still lives; and, by name, that the page is about
 * to `sleep`, after which nothing of it runs, and that it has come to `wake`. Answers how to stop.
 */
export type Hints = (tell: (hint?: 'sleep' | 'wake') => void) => () => void

/** The browser's own signs: online, offline, visible again, frozen, put aside for the way back. Nowhere else are any. */
export const systemHints: Hints = (tell) => {
  const target = globalThis as Partial<Pick<typeof globalThis, 'addEventListener' | 'document'>>
  if (typeof target.addEventListener !== 'function') return () => {}
  const { document } = target
  const controller = new AbortController()
  const on = (at: EventTarget | undefined, type: string, react: (event: Event) => void) =>
    at?.addEventListener(type, react, { signal: controller.signal })
  const page = target as EventTarget
  const isKept = (event: Event) => (event as PageTransitionEvent).persisted
  on(page, 'online', () => tell())
  on(page, 'offline', () => tell())
  on(document, 'visibilitychange', () => document?.visibilityState === 'visible' && tell())
  on(document, 'freeze', () => tell('sleep'))
  on(document, 'resume', () => tell('wake'))
  on(page, 'pagehide', (event) => isKept(event) && tell('sleep'))
  on(page, 'pageshow', (event) => isKept(event) && tell('wake'))
  return () => controller.abort()
}

import type { AppKey } from '../model/state.ts'
import type { App, Store } from '../store/store.ts'

/** Whether pages of this origin may connect to the app. Whoever sends no origin is no page, and tokens say who it is. */
export const isOriginOf = (app: Pick<App, 'allowedOrigins'>, origin: string | undefined): boolean =>
  origin === undefined || app.allowedOrigins === null || app.allowedOrigins.includes(origin)

/**
 * The same where only the session is known. It costs a look into the store, which only pages have to wait for: an operator
 * may have changed the list a moment ago.
 */
export async function isOriginAllowed(store: Store, app: AppKey, origin: string | undefined): Promise<boolean> {
  if (origin === undefined) return true
  const found = await store.apps.byKey(app)
  return found !== undefined && isOriginOf(found, origin)
}

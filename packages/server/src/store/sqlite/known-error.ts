import { MessageExists, Stale, StoreOutage } from '../store.ts'
import { RESTORE } from './row-sums.ts'
import { SEALED, StoreMoved } from './transfer-mark.ts'

/** What may pass by itself is told apart from what never will. */
export function asKnownError(error: Error): Error {
  if (error.name === 'MessageExists') return new MessageExists(error.message)
  if (error.name === 'Stale') return new Stale()
  if (error.name === 'StoreOutage') return new StoreOutage(error.message)
  if (error.message === SEALED) return new StoreMoved({ cause: error })
  const code = (error as Error & { code?: unknown }).code
  if (typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return new StoreOutage(`The store is damaged (${error.message}). ${RESTORE}`, { cause: error })
  }
  if (typeof code !== 'string' || !/^SQLITE_(FULL|IOERR|BUSY|LOCKED|READONLY|CANTOPEN|NOMEM)/.test(code)) return error
  return new StoreOutage(`The store cannot be used right now (${code}).`, { cause: error })
}

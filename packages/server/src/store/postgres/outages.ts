import { StoreOutage } from '../store.ts'
import { FENCED, OTHER_SCHEMA, OUTDATED } from './commit-function.ts'

/** What an error from the driver means for whoever asked. */
export type Trouble =
  /** The server refused this very statement: it did nothing, and would refuse it again. */
  | 'refused'
  /** The server undid it for reasons of the moment: the same again may succeed at once. */
  | 'undone'
  /** The server did nothing and cannot do anything at present. */
  | 'unable'
  /** The connection is gone or silent. What was asked may have been done. */
  | 'silent'

const UNDONE = new Set(['40001', '40P01', '55P03'])
// Out of something, shutting down, failing disks, a standby that may not write, cancelled for taking too long.
const UNABLE = /^(53|57P0[3-5]|58|25006|57014|XX)/
const OURS = new Set([OUTDATED, OTHER_SCHEMA, FENCED])

interface DriverError {
  readonly code?: string
  readonly severity?: string
  readonly message?: string
}

export function troubleOf(error: unknown): Trouble {
  const { code, severity } = error as DriverError
  // The server's own errors bear a severity; all others come from sockets and timers.
  if (severity === undefined || code === undefined) return 'silent'
  if (code === '57P03' || code === '53300') return 'unable'
  // It ended the session, maybe after the deed.
  if (severity === 'FATAL' || severity === 'PANIC') return 'silent'
  if (OURS.has(code)) return 'refused'
  if (UNDONE.has(code)) return 'undone'
  return UNABLE.test(code) ? 'unable' : 'refused'
}

/** Whether the connection can be used again after this error. */
export const isConnectionGood = (error: unknown): boolean => {
  const { severity } = error as DriverError
  return severity === 'ERROR'
}

export const codeOf = (error: unknown): string | undefined => (error as DriverError).code

export function asOutage(error: unknown): StoreOutage {
  if (error instanceof StoreOutage) return error
  const { code, message } = error as DriverError
  return new StoreOutage(`PostgreSQL cannot be used right now (${code ?? message}).`, { cause: error })
}

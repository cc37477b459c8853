/** The operations that were given up lately: not to be done after all because another tab asks what became of them. */
import type { Replica, Write } from '../replica/replica.ts'
import { putMeta } from '../replica/writes.ts'

/** The row of `meta` with their ids, and how many of them. */
const DISCARDED = 'discarded'
const MAX_DISCARDED = 100

export const readGivenUp = async (replica: Replica): Promise<readonly string[]> =>
  ((await replica.get('meta', [DISCARDED]))?.value ?? []) as string[]

/** The latest of them. */
export const latestOf = (ids: readonly string[]): string[] => ids.slice(-MAX_DISCARDED)

export const givenUpWrite = (ids: readonly string[]): Write => putMeta(DISCARDED, [...ids])

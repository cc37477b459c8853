import type { HelloFrame } from '@parley/protocol'
import type { Replica } from '../replica/replica.ts'

/** Rows of `meta` that the engine owns: how far the server was heard, and the log which that belongs to. */
export const CURSOR = 'cursor'
export const EPOCH = 'epoch'

/** Up to where a device has heard of changes, and of which log; null for a fresh one. */
export type Since = Pick<HelloFrame, 'cursor' | 'epoch'>

export async function readSince(replica: Replica): Promise<Since> {
  const [cursor, epoch] = await replica.getMany('meta', [[CURSOR], [EPOCH]])
  return { cursor: (cursor?.value as string | undefined) ?? null, epoch: (epoch?.value as string | undefined) ?? null }
}

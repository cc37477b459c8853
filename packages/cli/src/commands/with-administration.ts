import type { Administration } from '@parley/server'
import { type PlaceOptions, placeOf } from '../options.ts'
import type { Surroundings } from '../surroundings.ts'

/** Opens the store for one piece of work, beside a server that may be running on it, and closes it again. */
export async function withAdministration<T>(
  options: PlaceOptions,
  { openAdministration }: Surroundings,
  work: (administration: Administration) => Promise<T> | T,
): Promise<T> {
  const administration = await openAdministration(placeOf(options))
  try {
    return await work(administration)
  } finally {
    await administration.close()
  }
}

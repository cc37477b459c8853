import type { Administration } from '@parley/server'
import type { Surroundings } from '../surroundings.ts'

/** Opens the data folder for one piece of work, beside a server that may be running on it, and closes it again. */
export async function withAdministration<T>(
  dataFolder: string,
  { openAdministration }: Surroundings,
  work: (administration: Administration) => Promise<T> | T,
): Promise<T> {
  const administration = await openAdministration(dataFolder)
  try {
    return await work(administration)
  } finally {
    await administration.close()
  }
}

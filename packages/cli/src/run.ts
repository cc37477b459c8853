import { CommanderError } from 'commander'
import { printable } from './printable.ts'
import { createProgram } from './program.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Carries out one command line and returns the exit code: 0 done, 1 not done (a sentence on the error output says why), 2 the
 * command line itself is wrong.
 */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    await createProgram(surroundings).parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof Error)) throw error
    surroundings.complain(`parley: ${printable(error.message)}`)
    if (process.env.PARLEY_DEBUG) surroundings.complain(error.stack ?? '')
    return 1
  }
}

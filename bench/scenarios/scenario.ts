/** What is measured, on which servers, and what has to hold. */
import { profileSummary } from '../figures/profile-summary.ts'
import type { Server } from '../servers/start-server.ts'

export type ServerKind = 'reference' | 'parley'
export type ScenarioId = 'A' | 'B' | 'C' | 'D' | 'E' | 'P'

/** What one run of a scenario brought: figures by name. */
export type Sample = Readonly<Record<string, number>>

/** Beyond it, a load that has one thread was what bounded the figure, and the server could do more. */
export const LOAD_BOUND_CORES = 0.9

export interface Figure {
  /** As in the sample. */
  readonly name: string
  /** For people, with its unit. */
  readonly title: string
  readonly digits?: number
  /** Compared with the reference of the same run, or by itself. */
  readonly limit?: Limit
}

export interface Limit {
  readonly of: 'ratio' | 'figure'
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Settings {
  readonly seconds: number
  /** Small numbers, to see that it works. */
  readonly isQuick: boolean
  /** Where profiles of the server go. */
  readonly profiles: string | undefined
}

export interface Scenario {
  readonly id: ScenarioId
  readonly title: string
  readonly servers: readonly ServerKind[]
  readonly figures: readonly Figure[]
  /** Much like another one, and left out where a look whether it works is enough. */
  readonly isVariant?: boolean
  /** How often each server is measured in a round, in turns; by default once. */
  readonly turns?: number
  measure(kind: ServerKind, settings: Settings): Promise<Sample>
  /** The round is over: closes what was kept open for other turns. */
  end?(): Promise<void>
}

/** Runs what is measured between two looks at the server's account, with profiles if they are asked for. */
export async function observed<T>(
  server: Server,
  { name, settings }: { readonly name: string; readonly settings: Settings },
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cpuSeconds: number }> {
  if (settings.profiles) await server.profile()
  const before = server.cpuSeconds
  const result = await work()
  const cpuSeconds = server.cpuSeconds - before
  if (settings.profiles) {
    const file = `${settings.profiles}/${name.replaceAll(/\W+/g, '-')}-${server.ready.kind}`
    await server.profiled(file)
    process.stderr.write(`\n${file}\n${profileSummary(file)}\n\n`)
  }
  return { result, cpuSeconds }
}

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { Run } from '../scenarios/run.ts'
import type { Sample, Settings } from '../scenarios/scenario.ts'

export interface Results {
  readonly runs: readonly Run[]
  readonly machine: readonly Sample[]
  readonly rounds: number
  readonly settings: Settings
}

/** Every sample, with what it takes to read them later. */
export function writeJson(file: string, { runs, machine, rounds, settings }: Results): void {
  mkdirSync(dirname(file), { recursive: true })
  const results = {
    at: new Date().toISOString(),
    commit: commit(),
    on: machineText(),
    rounds,
    settings,
    runs: runs.map(({ scenario, ...run }) => ({ scenario: scenario.id, title: scenario.title, ...run })),
    machine,
  }
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
}

export function machineText(): string {
  const cores = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cores.length} × ${cores[0]?.model.trim()}, ${memory} GiB, ${process.platform} ${release()}, Node ${process.version}`
}

function commit(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

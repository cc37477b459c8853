import type { TransferProgress, Transferred } from '@parley/server'
import { type Command, Option } from 'commander'
import { dataOption, jsonOption } from '../options.ts'
import { jsonLine } from '../printable.ts'
import type { Surroundings } from '../surroundings.ts'

interface MigrateOptions {
  readonly data: string
  readonly to: string
  readonly abandon?: boolean
  readonly json?: boolean
}

/** How often progress is told. */
const TELL_MS = 1_000

export function addMigrateStore(program: Command, surroundings: Surroundings): void {
  program
    .command('migrate-store')
    .description('move everything from a data folder to PostgreSQL, while its server runs or not')
    .addOption(dataOption())
    .addOption(new Option('--to <url>', 'an empty database: postgres://user@host/database').makeOptionMandatory())
    .option('--abandon', 'take back a move that is not over: the database is emptied, the folder stays as it is')
    .addOption(jsonOption())
    .action((options: MigrateOptions) =>
      options.abandon ? abandon(options, surroundings) : migrate(options, surroundings),
    )
}

async function abandon({ data, to }: MigrateOptions, { abandonMigration, print }: Surroundings): Promise<void> {
  await abandonMigration({ dataFolder: data, to })
  print('Taken back: everything is in the folder, as it was, and the database is empty.')
}

async function migrate({ data, to, json }: MigrateOptions, surroundings: Surroundings): Promise<void> {
  const { migrateStore, print, complain } = surroundings
  const tell = sparing((progress) => complain(json ? jsonLine(progress) : sentenceOf(progress)))
  const result = await migrateStore({ dataFolder: data, to, onProgress: tell })
  if (json) return print(jsonLine(result))
  for (const line of report(result)) print(line)
}

/** Not more often than somebody can read it, but the first word of each step and the last: that one has its speed. */
function sparing(say: (progress: TransferProgress) => void): (progress: TransferProgress) => void {
  let saidAt = Number.NEGATIVE_INFINITY
  let step = ''
  let unsaid: TransferProgress | undefined
  return (progress) => {
    const now = performance.now()
    const isFirst = progress.step !== step
    if (!isFirst && now - saidAt < TELL_MS) {
      unsaid = progress
      return
    }
    if (isFirst && unsaid) say(unsaid)
    unsaid = undefined
    saidAt = now
    step = progress.step
    say(progress)
  }
}

function sentenceOf({ step, done, total, rowsPerSecond, leftMs }: TransferProgress): string {
  const name = `${step[0]!.toUpperCase()}${step.slice(1)}`
  if (total === 0) return name
  const speed = leftMs === undefined ? '' : `, ${count(rowsPerSecond)} a second, ${Math.ceil(leftMs / 1_000)} s left`
  return `${name}: ${count(done)} of ${count(total)} rows${speed}`
}

function report({ state, pausedMs, server }: Transferred): string[] {
  const lines = [
    state === 'done' ? 'Moved: everything is in PostgreSQL.' : 'That was done before: everything is in PostgreSQL.',
  ]
  if (pausedMs !== undefined) lines.push(`Writes waited for ${(pausedMs / 1_000).toFixed(2)} s in here.`)
  if (server?.isOver) lines.push(`The server ${server.pid} serves from there already.`)
  else if (server)
    lines.push(`The server ${server.pid} did not say that it went over. Look at its log, and start it again.`)
  return [...lines, 'From now on start it with --store (or PARLEY_STORE) and the address of the database.']
}

const count = (number: number): string => number.toLocaleString('en')

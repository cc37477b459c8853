import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * A program running beside the test. It is stopped, paused and killed by its own process id and nothing else; whatever
 * still runs when the test process ends is killed with it.
 */
export interface RunningProcess {
  readonly pid: number
  readonly isRunning: boolean
  /** What it printed so far, line by line, both streams in the order of arrival. */
  readonly lines: readonly string[]
  readonly exit: Promise<ProcessExit>
  /** The first line, printed already or still to come, that matches. Rejects with all output if it never comes. */
  line(pattern: RegExp, options?: { timeoutMs?: number }): Promise<RegExpExecArray>
  /** Types a line into it. */
  say(line: string): void
  /** `kill -9`: no chance to tidy up. */
  kill(): Promise<ProcessExit>
  /** Asks to stop (SIGTERM), and kills what has not stopped in time. */
  terminate(options?: { timeoutMs?: number }): Promise<ProcessExit>
  /** Freezes it (SIGSTOP): its sockets stay open and nobody answers. */
  pause(): void
  resume(): void
  /** The memory it holds at this moment. */
  residentBytes(): number
  /** Makes sure that it is gone. Safe to call twice. */
  close(): Promise<void>
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProcessOptions {
  readonly command: string
  readonly args?: readonly string[]
  readonly cwd?: string
  /** Added to the environment of the test; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** As whom it runs, for programs that refuse to be root; default: as the test. */
  readonly uid?: number
  readonly gid?: number
  /** In a process group of its own: Ctrl-C in a terminal reaches whoever started it, and not it. */
  readonly isApart?: boolean
  /** It reads what `say` tells it; otherwise it has nobody to hear. */
  readonly isSpokenTo?: boolean
}

const MAX_LINES = 50_000
const LINE_TIMEOUT_MS = 30_000
const TERMINATE_TIMEOUT_MS = 15_000

/** Children of this very test process; a crash of the test must not leave servers behind. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export function startProcess({
  command,
  args = [],
  cwd,
  env = {},
  uid,
  gid,
  isApart,
  isSpokenTo,
}: ProcessOptions): RunningProcess {
  const child = spawn(command, [...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: [isSpokenTo ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: isApart ?? false,
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  })
  running.add(child)
  const lines: string[] = []
  const listeners = new Set<(line: string) => void>()
  const finished = new AbortController()

  const hear = (line: string) => {
    if (lines.push(line) > MAX_LINES) lines.shift()
    for (const listener of [...listeners]) listener(line)
  }
  for (const stream of [child.stdout, child.stderr]) eachLine(stream, hear)
  // It may be gone by the time it is spoken to.
  child.stdin?.on('error', () => undefined)

  const exit = new Promise<ProcessExit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      running.delete(child)
      resolve({ code, signal })
      finished.abort()
    }
    child.once('close', end)
    child.once('error', (error) => {
      hear(`${command} could not be started: ${error.message}`)
      end(null, null)
    })
  })
  const isRunning = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined
  const signal = (name: NodeJS.Signals) => (isRunning() ? child.kill(name) : false)

  const self: RunningProcess = {
    pid: child.pid ?? -1,
    lines,
    exit,
    get isRunning() {
      return isRunning()
    },
    line(pattern, { timeoutMs = LINE_TIMEOUT_MS } = {}) {
      return new Promise((resolve, reject) => {
        const listener = (line: string) => {
          const match = pattern.exec(line)
          if (match) settle(() => resolve(match))
          return match !== null
        }
        const fail = (reason: string) => () =>
          settle(() => reject(new Error(`No line matched ${pattern} ${reason}:\n${lines.join('\n')}`)))
        const onExit = fail('before the process ended')
        const timer = setTimeout(fail(`within ${timeoutMs} ms`), timeoutMs)
        const settle = (outcome: () => void) => {
          clearTimeout(timer)
          listeners.delete(listener)
          finished.signal.removeEventListener('abort', onExit)
          outcome()
        }
        if (lines.some(listener)) return
        if (finished.signal.aborted) return onExit()
        listeners.add(listener)
        finished.signal.addEventListener('abort', onExit)
      })
    },
    say: (line) => void child.stdin?.write(`${line}\n`),
    kill() {
      signal('SIGKILL')
      return exit
    },
    async terminate({ timeoutMs = TERMINATE_TIMEOUT_MS } = {}) {
      signal('SIGTERM')
      const timer = setTimeout(() => signal('SIGKILL'), timeoutMs)
      try {
        return await exit
      } finally {
        clearTimeout(timer)
      }
    },
    pause: () => void signal('SIGSTOP'),
    resume: () => void signal('SIGCONT'),
    residentBytes: () => residentBytesOf(self.pid),
    close: async () => void (await self.kill()),
  }
  return self
}

function eachLine(stream: NodeJS.ReadableStream | null, hear: (line: string) => void) {
  let rest = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) hear(line)
  })
  stream?.on('end', () => rest && hear(rest))
}

function residentBytesOf(pid: number): number {
  if (process.platform !== 'linux') {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024
  }
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1] ?? 0) * 1024
}

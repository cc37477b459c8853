import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs a file of ours in a process of its own from its source, whatever runs the file that asks for it. */
export const forkSource = (program: URL, args: readonly string[] = []): ChildProcess =>
  fork(fileURLToPath(program), args, { execArgv: ['--conditions=source', '--import', 'tsx'] })

import { fileURLToPath } from 'node:url'
import { type RunningProcess, startProcess } from './start-process.ts'

const program = fileURLToPath(new URL('../../dist/balancer/main.js', import.meta.url))

export interface BalancerProcess extends RunningProcess {
  readonly port: number
}

/** The balancer in a process of its own, so that it can die as well. */
export async function startBalancerProcess(options: {
  /** Where the nodes listen. */
  readonly ports: readonly number[]
  /** 0, the default, takes any free one. */
  readonly port?: number
  readonly isApart?: boolean
}): Promise<BalancerProcess> {
  const { ports, port = 0, isApart } = options
  const args = [program, ...[port, ...ports].map(String)]
  const started = startProcess({ command: process.execPath, args, ...(isApart && { isApart }) })
  const [line] = await started.line(/^\{"port":\d+\}$/).catch(async (error) => {
    await started.close()
    throw error
  })
  return Object.assign(started, { port: (JSON.parse(line) as { port: number }).port })
}

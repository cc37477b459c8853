import { fileURLToPath } from 'node:url'
import { type RunningProcess, startProcess } from './start-process.ts'

/** The command as it is shipped. */
const command = fileURLToPath(new URL('../../../cli/bin/parley.js', import.meta.url))

export interface ParleyServer extends RunningProcess {
  readonly url: string
  readonly websocketUrl: string
  readonly port: number
  /** Only with `--metrics-port`. */
  readonly metricsUrl?: string
}

export interface ParleyOptions {
  /** Where it keeps everything: a folder, or an address that begins with `postgres://`. */
  readonly dataFolder: string
  /** 0, the default, takes any free one. Name one to come back at the same address after a crash. */
  readonly port?: number
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly isApart?: boolean
}

export interface ParleyApp {
  readonly appId: string
  readonly providerId: string
  readonly keyId: string
  readonly privateKeyPem: string
  readonly publicKeyPem: string
}

/** A program that runs `parley` with these arguments. */
export function parley(args: readonly string[], env: ParleyOptions['env'] = {}, isApart?: boolean): RunningProcess {
  return startProcess({ command: process.execPath, args: [command, ...args], env, ...(isApart && { isApart }) })
}

/** `parley serve` in a process of its own, ready to be spoken to, and to be killed. */
export async function startParley({
  dataFolder,
  port = 0,
  args = [],
  env,
  isApart,
}: ParleyOptions): Promise<ParleyServer> {
  const server = parley(['serve', '--json', ...placeOf(dataFolder), '--port', String(port), ...args], env, isApart)
  const [line] = await server.line(/^\{"url":.*\}$/).catch(async (error) => {
    await server.close()
    throw error
  })
  return Object.assign(server, JSON.parse(line))
}

const placeOf = (place: string) => (place.startsWith('postgres://') ? ['--store', place] : ['--data', place])

/** `parley apps create`; works whether or not a server runs on the folder. */
export async function createApp(dataFolder: string, args: readonly string[] = []): Promise<ParleyApp> {
  const [line] = await parley(['apps', 'create', '--json', ...placeOf(dataFolder), ...args]).line(/^\{"appId":.*\}$/)
  return JSON.parse(line)
}

import type { AddressInfo } from 'node:net'
import type { Tracing } from '@parley/server'
import { type Command, Option } from 'commander'
import {
  busOption,
  collect,
  dataOption,
  jsonOption,
  type PlaceOptions,
  parseCount,
  parseMaxParticipants,
  parsePort,
  placeOf,
  storeOption,
} from '../options.ts'
import { jsonLine } from '../printable.ts'
import { Obstacle, type Surroundings } from '../surroundings.ts'

interface ServeOptions extends PlaceOptions {
  readonly port: number
  readonly host: string
  readonly allowOrigin?: readonly string[]
  readonly publicUrl?: string
  readonly bus?: string
  readonly maxParticipants?: number
  readonly maxConnections?: number
  readonly maxConnectionsPerAddress?: number
  readonly drainSeconds: number
  readonly metricsPort?: number
  readonly metricsHost?: string
  readonly tracing?: string
  readonly development?: boolean
  readonly json?: boolean
}

/** What balancers need to notice that a server is not ready any more; before that, people would come right back. */
const NOTICE_MS = 1_000
/** What it takes to say goodbye. */
const LAST_WORDS_MS = 500

export function addServe(program: Command, surroundings: Surroundings): void {
  program
    .command('serve')
    .description('run the server until it is asked to stop')
    .addOption(dataOption())
    .addOption(storeOption())
    .addOption(busOption())
    .addOption(
      new Option('--port <number>', 'port to listen at; 0 takes any free one').default(4500).argParser(parsePort),
    )
    .addOption(new Option('--host <address>', 'address to listen at').env('PARLEY_HOST').default('127.0.0.1'))
    .addOption(new Option('--allow-origin <origin>', 'let pages of this origin connect; repeatable').argParser(collect))
    .option('--public-url <url>', 'where clients reach this server, if it is behind a proxy')
    .addOption(
      new Option('--max-participants <number>', 'most participants of a conversation, up to 5000; default 25')
        .env('PARLEY_MAX_PARTICIPANTS')
        .argParser(parseMaxParticipants),
    )
    .addOption(new Option('--max-connections <number>', 'sockets at a time').argParser(parseCount))
    .addOption(
      new Option('--max-connections-per-address <number>', 'sockets from one address; not behind a proxy').argParser(
        parseCount,
      ),
    )
    .addOption(
      new Option('--drain-seconds <number>', 'once asked to stop: within this, people are sent elsewhere one by one')
        .env('PARLEY_DRAIN_SECONDS')
        .default(25)
        .argParser(parseCount),
    )
    .addOption(
      new Option('--metrics-port <number>', 'show figures to Prometheus at this port; 0 takes any free one')
        .env('PARLEY_METRICS_PORT')
        .argParser(parsePort),
    )
    .addOption(
      new Option('--metrics-host <address>', 'address of that port').env('PARLEY_METRICS_HOST').default('127.0.0.1'),
    )
    .addOption(
      new Option('--tracing <module>', 'tell this module of requests, operations and calls of the store').env(
        'PARLEY_TRACING',
      ),
    )
    .option('--development', 'let key sets be fetched from this machine')
    .addOption(jsonOption())
    .action((options: ServeOptions) => serve(options, surroundings))
}

async function serve(options: ServeOptions, surroundings: Surroundings): Promise<void> {
  const { startServer, print, complain, untilStopped } = surroundings
  const tracing = options.tracing === undefined ? undefined : await tracingOf(options.tracing, surroundings)
  const stopped = untilStopped()
  const server = await startServer({
    ...placeOf(options),
    host: options.host,
    port: options.port,
    ...(options.development && { development: true }),
    ...(options.maxParticipants !== undefined && { maxParticipants: options.maxParticipants }),
    ...(options.bus && { bus: options.bus }),
    ...(tracing && { tracing }),
    ...(options.publicUrl && { publicUrl: options.publicUrl }),
    ...(options.maxConnections && { maxConnections: options.maxConnections }),
    ...(options.maxConnectionsPerAddress && { maxConnectionsPerAddress: options.maxConnectionsPerAddress }),
    ...metricsPlace(options),
    ...(options.allowOrigin && { allowedOrigins: options.allowOrigin }),
    log: (message, details) => complain(jsonLine({ at: new Date().toISOString(), message, ...details })),
  }).catch((error: unknown) => {
    throw explain(error, options)
  })
  const { url, websocketUrl, metricsUrl } = server
  const port = Number(new URL(url).port)
  print(
    options.json
      ? jsonLine({ url, websocketUrl, port, pid: process.pid, ...(metricsUrl && { metricsUrl }) })
      : `Parley serves ${url}. Ctrl-C stops it.`,
  )
  const failure = await Promise.race([stopped, server.failed])
  // One that failed has nothing to offer meanwhile.
  const drainMs = failure === undefined ? options.drainSeconds * 1_000 : LAST_WORDS_MS
  await server.close({ drainMs, noticeMs: NOTICE_MS })
  // Whoever supervises it starts it again; a server that goes on and refuses everybody would be noticed by nobody.
  if (failure !== undefined) throw new Obstacle(`${failure} The server was stopped, and has to be started again.`)
}

const metricsPlace = ({ metricsPort, metricsHost = '127.0.0.1' }: ServeOptions) =>
  metricsPort !== undefined && { metrics: { port: metricsPort, host: metricsHost } }

/** What a module exports by default, if that can be told of anything. */
async function tracingOf(module: string, { loadModule }: Surroundings): Promise<Tracing> {
  const tracing = ((await loadModule(module)) as { readonly default?: Partial<Tracing> }).default
  if (typeof tracing?.begin === 'function') return tracing as Tracing
  throw new Obstacle(`${module} cannot be told of anything: its default export has no function 'begin'.`)
}

function explain(error: unknown, { host, port, metricsPort }: ServeOptions): unknown {
  const { code, address = host, port: taken = port } = error as NodeJS.ErrnoException & Partial<AddressInfo>
  if (code !== 'EADDRINUSE') return error
  if (taken === metricsPort)
    return new Obstacle(`Port ${taken} of ${address} is taken. Choose another: --metrics-port.`)
  return new Obstacle(`Port ${port} of ${host} is taken. Choose another with --port, or --port 0 for any free one.`)
}

/**
 * The machine the server runs on: its disk outlives its processes. Each process is the real server without its doors;
 * the doors are in memory: sockets are wires, and sign-in answers what the HTTP routes answer.
 */
import { type Refusal, toWireError, type Uuid, errors as wireErrors } from '@parley/protocol'
import { type AppKey, assemble, type Edge, NativeConnection, type Socket } from '@parley/server/in-process'
import type { SeededChance } from '../seeded-chance.ts'
import type { Process } from './device-disk.ts'
import type { ServerDisk } from './server-disk.ts'
import type { Timeline } from './timeline.ts'
import { simulatedTokens } from './tokens.ts'
import type { ServerConnection, Wire } from './wire.ts'

/** What the server's clock showed when this world began. */
export const EPOCH_MS = Date.UTC(2027, 0, 1)

export const APP_ID = '00000000-0000-7000-8000-00000000a990' as Uuid

interface ServerProcess extends Process {
  edge: Edge | undefined
  stopJobs: () => void
  readonly connections: Map<NativeConnection, Wire>
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export class ServerMachine {
  readonly disk: ServerDisk
  readonly #timeline: Timeline
  readonly #chance: SeededChance
  readonly #problem: (sentence: string) => void
  readonly #hasJobs: boolean
  #process: ServerProcess | undefined
  /** By how much its clock is wrong. */
  clockErrorMs = 0
  crashes = 0

  constructor(
    disk: ServerDisk,
    of: {
      readonly timeline: Timeline
      readonly chance: SeededChance
      /** Whether the clock starts jobs: once a second, which is much of what happens in a long wait. */
      readonly hasJobs: boolean
      /** Something a server must never say of itself. */
      readonly problem: (sentence: string) => void
    },
  ) {
    this.disk = disk
    this.#timeline = of.timeline
    this.#chance = of.chance
    this.#problem = of.problem
    this.#hasJobs = of.hasJobs
  }

  /** The app is registered; once in the life of a disk. */
  async install(sessionSeconds: number | null): Promise<void> {
    const app = {
      key: 0 as AppKey,
      id: APP_ID,
      environment: 'staging' as const,
      name: 'App',
      sessionSeconds,
      allowedOrigins: null,
      createdAt: EPOCH_MS,
      suspendedAt: null,
    }
    const provider = { id: '00000000-0000-7000-8000-0000000000aa' as Uuid, app: 0 as AppKey, jwksUrl: null }
    await this.disk.open({ isDead: false }).apps.create(app, provider, null)
  }

  get isUp(): boolean {
    return this.#process?.edge !== undefined
  }

  get edge(): Edge | undefined {
    return this.#process?.edge
  }

  get now(): number {
    return EPOCH_MS + this.#timeline.now + this.clockErrorMs
  }

  async start(): Promise<void> {
    if (this.#process) return
    const process: ServerProcess = { isDead: false, edge: undefined, stopJobs: () => {}, connections: new Map() }
    this.#process = process
    const { edge, startJobs } = await assemble(this.disk.open(process), {
      clock: {
        now: () => this.now,
        after: (ms, callback) =>
          this.#timeline.after(ms, () => {
            if (!process.isDead) callback()
          }),
      },
      log: (message, details) => this.#heardLog(message, details),
      baseUrl: () => 'http://parley.test',
      tokens: simulatedTokens,
      random: (count) => this.#chance.bytes(count),
      soon: (callback) => void this.#timeline.after(0, callback),
    })
    if (process.isDead) return
    if (this.#hasJobs) process.stopJobs = startJobs()
    process.edge = edge
  }

  /** Power or process, gone at this instant. */
  crash(): void {
    const process = this.#process
    if (!process) return
    this.#process = undefined
    process.isDead = true
    this.crashes++
    for (const wire of process.connections.values()) wire.serverDied(this.#chance.below(4) > 0)
    this.disk.crash()
  }

  /** Asked to go: sends everybody away, finishes what was taken on. */
  async stop(): Promise<void> {
    const process = this.#process
    if (!process?.edge) return
    const { edge, connections } = process
    process.edge = undefined
    process.stopJobs()
    for (const connection of [...connections.keys()]) connection.drain(this.#chance.below(2_000))
    await edge.lane.close()
    if (process.isDead) return
    process.isDead = true
    if (this.#process === process) this.#process = undefined
  }

  accept(socket: Socket, wire: Wire): ServerConnection | undefined {
    const process = this.#process
    if (!process?.edge) return undefined
    const connection = new NativeConnection(process.edge, {
      ...socket,
      close: (code) => {
        process.connections.delete(connection)
        socket.close(code)
      },
    })
    process.connections.set(connection, wire)
    return {
      receive: (text) => connection.receive(text),
      tooSlow: () => connection.tooSlow(),
      gone: () => {
        process.connections.delete(connection)
        connection.gone()
      },
    }
  }

  /** The one request a client makes over HTTP; undefined if nobody is there to answer. */
  async endSession(token: string | undefined): Promise<Answer | undefined> {
    const edge = this.#process?.edge
    if (!edge) return undefined
    const session = token === undefined ? undefined : await edge.sessions.find(token)
    if (!session) return refusal({ id: 'authentication_required' })
    const refused = await edge.sessions.end(session)
    return refused ? refusal(refused.refusal) : { status: 204, body: {} }
  }

  #heardLog(message: string, details: Record<string, unknown>): void {
    const isExpected = message === 'the store is away' || String(details.error).includes('simulated disk is full')
    if (!isExpected) this.#problem(`the server logged: ${message} ${JSON.stringify(details)}`)
  }
}

const refusal = (refused: Refusal): Answer => ({ status: wireErrors[refused.id].status, body: toWireError(refused) })

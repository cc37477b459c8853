import type { ClientOptions } from '@parley/client'
import type { ConversationId, IdentityId } from '@parley/protocol'
import { until } from '@parley/testkit'
import type { CheckId } from '../checker/check.ts'
import { check } from '../checker/check.ts'
import { differences } from '../checker/checks/convergence.ts'
import { arrivalDelays } from '../checker/checks/wake-up.ts'
import type { Finding, History, Resources, StoreView } from '../checker/history.ts'
import { percentile } from '../checker/percentile.ts'
import { resourceRecord } from '../instruments/resources.ts'
import type { RowContext } from '../row.ts'
import { comparable, type DeviceOptions, ExamDevice } from './device.ts'
import { ExamCluster, type ExamClusterOptions } from './exam-cluster.ts'
import { ExamServer, type ExamServerOptions } from './exam-server.ts'
import { LocalServer, type LocalServerOptions } from './local-server.ts'
import type { ReachableServer } from './reachable-server.ts'
import { now, Recorder } from './recorder.ts'
import { readStoreView } from './store-view.ts'

const SETTLE_MS = 10_000
/** Nobody wrote anything for so long: receipts wait 200 ms for company. */
const QUIET_MS = 350

type Making = Partial<Omit<DeviceOptions, 'recorder' | 'appId'>> & { readonly userId: string }

/** One server, some devices, and the book in which everything is written. */
export class World<Server extends ReachableServer = ExamServer> {
  readonly server: Server
  readonly recorder = new Recorder()
  readonly devices: ExamDevice[] = []
  readonly members: Record<string, IdentityId[]> = {}
  /** People without a device of the SDK, whose view of the store is looked at in the end as well. */
  readonly readers: string[] = []
  healedAt: number | undefined
  convergedAt: number | undefined
  readonly #context: RowContext

  private constructor(context: RowContext, server: Server) {
    this.#context = context
    this.server = server
  }

  static async open(context: RowContext, options: ExamServerOptions = {}): Promise<World> {
    return new World(context, await ExamServer.start(context, options))
  }

  static async openHere(context: RowContext, options: LocalServerOptions = {}): Promise<World<LocalServer>> {
    return new World(context, await LocalServer.start(context, options))
  }

  static async openCluster(context: RowContext, options: ExamClusterOptions = {}): Promise<World<ExamCluster>> {
    return new World(context, await ExamCluster.start(context, options))
  }

  /** A device that is not signed in yet. */
  make({ userId, ...options }: Making): ExamDevice {
    const { server, recorder } = this
    const device = new ExamDevice({
      name: `${userId} ${this.devices.filter((one) => one.userId === userId).length + 1}`,
      userId,
      recorder,
      appId: server.app.appId,
      url: server.url,
      websocketUrl: server.websocketUrl,
      challenge: ({ nonce }) => server.minter.mint({ userId, nonce }),
      ...options,
    })
    this.devices.push(device)
    this.#context.onEnd(() => device.client.close())
    return device
  }

  async signedIn(userId: string, options: Omit<Making, 'userId'> = {}): Promise<ExamDevice> {
    const device = this.make({ userId, ...options })
    await device.signIn()
    await until(() => device.isLive, `${device.name} is live`)
    return device
  }

  /** Devices of several people, two of the first ones' each if there are more devices than people. */
  async team(people: readonly string[], options: Partial<ClientOptions> = {}): Promise<ExamDevice[]> {
    return Promise.all(people.map((userId) => this.signedIn(userId, options)))
  }

  /** A conversation in which all of these take part from first to last. */
  async conversation(of: readonly ExamDevice[]): Promise<ConversationId> {
    const [creator] = of
    const participants = [...new Set(of.map(({ userId }) => userId))]
    const created = await creator!.client.createConversation({ participants, distinct: false })
    await created.acknowledged
    this.members[created.id] = [...new Set(of.map(({ identity }) => identity as IdentityId))]
    const isThere = (device: ExamDevice) => device.client.getConversation(created.id).then(Boolean)
    for (const device of of) await until(() => isThere(device), `${device.name} has the conversation`)
    return created.id
  }

  /** The fault is over. */
  heal(): void {
    this.healedAt = now()
  }

  /** Waits until all devices have what the store has, and nothing moves any more. Answers the store as it is then. */
  async settle(timeoutMs = SETTLE_MS * this.#context.slowness): Promise<StoreView[]> {
    const deadline = now() + timeoutMs
    let views: StoreView[] = []
    for (;;) {
      while (now() < deadline && !(await this.#isQuiet())) await pause(25)
      const people = [...new Set(this.devices.map(({ userId }) => userId))]
      views = await Promise.all(people.map((userId) => readStoreView(this.server, userId)))
      const lastCommitAt = Math.max(...this.devices.map(({ storage }) => storage.lastCommitAt))
      if (await this.#isSame(views)) {
        this.convergedAt = lastCommitAt
        return views
      }
      if (now() >= deadline) return views
      await pause(100)
    }
  }

  async #isQuiet(): Promise<boolean> {
    const quietSince = now() - QUIET_MS
    if (this.devices.some(({ storage }) => storage.lastCommitAt > quietSince)) return false
    return (await Promise.all(this.devices.map((device) => device.isLevel()))).every(Boolean)
  }

  async #isSame(views: readonly StoreView[]): Promise<boolean> {
    const records = await Promise.all(this.devices.map((device) => device.record()))
    return records.every(({ identity, copy }) => {
      const view = views.find((one) => one.identity === identity)
      return view !== undefined && differences(comparable(copy), comparable(view.copy)).length === 0
    })
  }

  /** Everything that was written down, for the checks. */
  async history(views: readonly StoreView[]): Promise<History> {
    const devices = await Promise.all(this.devices.map((device) => device.record()))
    return {
      operations: this.recorder.operations,
      devices: devices.map((device) => ({ ...device, copy: comparable(device.copy) })),
      store: views.map((view) => ({ ...view, copy: comparable(view.copy) })),
      members: this.members,
      processes: [this.server.record],
      slowness: this.#context.slowness,
      ...(this.healedAt !== undefined && { healedAt: this.healedAt }),
      ...(this.convergedAt !== undefined && { convergedAt: this.convergedAt }),
    }
  }

  /** Settles, checks everything, and says the figures every row has. */
  async examine(
    options: {
      readonly except?: readonly CheckId[]
      readonly timeoutMs?: number
      readonly graceMs?: number
      readonly before?: Resources
    } = {},
  ): Promise<{
    readonly findings: readonly Finding[]
    readonly figures: Readonly<Record<string, number>>
    readonly history: History
  }> {
    const { graceMs = 0, before, timeoutMs } = options
    const views = await this.settle(timeoutMs)
    const { server } = this
    for (const userId of this.readers) views.push(await readStoreView(server, userId))
    const history: History = {
      ...(await this.history(views)),
      graceMs,
      ...(before && server instanceof ExamServer && { resources: resourceRecord(server, before) }),
    }
    const delays = arrivalDelays(history).map(({ delayMs }) => delayMs)
    const { healedAt, convergedAt } = this
    return {
      history,
      findings: check(history, options),
      figures: {
        acknowledged: history.operations.filter(({ outcome }) => outcome.state === 'ok').length,
        ...(history.resources && { loopLagMs: history.resources.eventLoopP99Ms }),
        ...(healedAt === undefined
          ? { arrivalP99Ms: Math.round(percentile(delays, 0.99)) }
          : { levelAfterMs: Math.max(0, Math.round((convergedAt ?? Number.NaN) - healedAt)) }),
      },
    }
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

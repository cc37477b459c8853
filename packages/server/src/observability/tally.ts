import { Histogram, secondsHistogram } from './histogram.ts'

/** How often each of a few names occurred. Names are ours (kinds, codes, routes), never anybody's id: they are bounded. */
export class Counts<Name extends string = string> {
  readonly #counts: Map<Name, number>

  /** @param names those known beforehand: they are shown as 0, so that the first occurrence is seen to be one */
  constructor(names: readonly Name[] = []) {
    this.#counts = new Map(names.map((name) => [name, 0]))
  }

  add(name: Name): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  get all(): readonly (readonly [Name, number])[] {
    return [...this.#counts]
  }
}

/** Sockets of one dialect: opened so far, and open at present. */
export interface OpenSockets {
  opened: number
  open: number
}

export type UpgradeRefusal = 'origin' | 'full' | 'subprotocol' | 'authentication'

/**
 * What one server has done since it started, as plain numbers. The parts count here as they work, whether or not anybody
 * looks, which costs them an addition; what is shown to operators is read from here when they ask.
 */
export class Tally {
  readonly connections: Readonly<Record<'native' | 'layer', OpenSockets>> = {
    native: { opened: 0, open: 0 },
    layer: { opened: 0, open: 0 },
  }
  readonly upgradesRefused = new Counts<UpgradeRefusal>(['origin', 'full', 'subprotocol', 'authentication'])
  /** Sockets cut because their peer read too slowly. */
  slowSockets = 0
  /** Connections that are not read at present, since they have enough under way. */
  heldConnections = 0

  /** By what came of them: `opened`, or why not. */
  readonly signIns = new Counts<string>(['opened'])

  readonly #operations = new Map<string, Counts>()
  /** From being taken on to being settled, in seconds. */
  readonly operationSeconds = secondsHistogram()
  /** Operations for which there was no room in the write lane. */
  turnedAway = 0

  readonly batchSize = new Histogram([1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000])
  /** From being put together to being settled: loading, deciding, committing, telling. */
  readonly batchSeconds = secondsHistogram()
  /** Batches decided anew because another node had changed what they rest on. */
  staleBatches = 0
  /** Batches put off because the store was away. */
  batchesPutOff = 0

  /** Changes of streams that were committed and told to delivery. */
  changes = 0
  /** Changes handed to connections: each once for every connection that hears of it. */
  delivered = 0

  /** Returning devices that were told which streams moved, by where that was known. */
  readonly arrivals = new Counts<'memory' | 'store'>(['memory', 'store'])
  /** What devices asked to read to catch up. */
  readonly reads = new Counts<'pull' | 'page'>(['pull', 'page'])

  /** What was not done because the peer asks too much: an operation, a read, a typing signal. */
  readonly rateLimited = new Counts<'operation' | 'read' | 'typing'>(['operation', 'read', 'typing'])

  readonly keySetFetches = new Counts<'good' | 'failed'>(['good', 'failed'])
  readonly keySetSeconds = secondsHistogram()

  /** HTTP requests by method, route and status. */
  readonly requests = new Counts()

  /** Calls of the store, by what is called. */
  readonly storeCalls = new Map<string, Histogram>()
  readonly storeErrors = new Counts()
  /** Calls that have no answer yet. */
  storeCallsUnderWay = 0

  /** @param outcome `done`, `unchanged`, or the code of the refusal */
  settled(operation: string, outcome: string, seconds: number): void {
    let counts = this.#operations.get(operation)
    if (!counts) {
      counts = new Counts()
      this.#operations.set(operation, counts)
    }
    counts.add(outcome)
    this.operationSeconds.note(seconds)
  }

  get operations(): readonly (readonly [operation: string, outcome: string, count: number])[] {
    return [...this.#operations].flatMap(([operation, counts]) =>
      counts.all.map(([outcome, count]) => [operation, outcome, count] as const),
    )
  }
}

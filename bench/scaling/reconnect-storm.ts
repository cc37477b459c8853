/** What happens when everybody at some nodes loses their connection at once and comes back, second by second. */

export interface Storm {
  readonly clients: number
  /** Those that are left can take on so many in a second. */
  readonly takenPerSecond: number
  /** Who is not answered for so long gives up and tries again later. */
  readonly patienceSeconds: number
  /** Whether a server works on what nobody waits for any more, because it does not notice. */
  readonly isLateWorkDone: boolean
  /** Tries are spread over this window at first: 0 for everybody at once. */
  readonly firstWindowSeconds: number
  /** The window doubles with every try in vain, up to this. */
  readonly lastWindowSeconds: number
}

export interface Aftermath {
  /** Until 99 of 100 are back, and until the last one is. */
  readonly mostBackSeconds: number
  readonly allBackSeconds: number
  /** In the worst second. */
  readonly peakTriesPerSecond: number
  readonly triesPerClient: number
}

const STEPS_PER_SECOND = 10
/** Windows grow no further after so many tries, so they are not told apart. */
const MAX_TOLD_APART = 8
/** Beyond it, they are taken never to come back. */
const MAX_SECONDS = 300

/** Clients as a fluid: how many try in each step, without chance, so that everybody who runs it finds the same. */
export function ride(storm: Storm): Aftermath {
  const { clients, takenPerSecond, patienceSeconds } = storm
  const step = 1 / STEPS_PER_SECOND
  /** Step → clients that will try then, by how many tries they made before. */
  const coming: number[][] = []
  plan(0, 0, clients)
  /** To be taken on, first come first served: of those before `served` all are, of those before `late` nobody waits. */
  const queue: { readonly at: number; readonly tries: number; count: number }[] = []
  let served = 0
  let late = 0
  let back = 0
  let tries = 0
  let peak = 0
  let mostBackSeconds = Number.POSITIVE_INFINITY
  let inLastSecond: number[] = []
  for (let now = 0; now < MAX_SECONDS * STEPS_PER_SECOND; now++) {
    let arrived = 0
    for (; late < queue.length && now - queue[late]!.at >= patienceSeconds * STEPS_PER_SECOND; late++) {
      if (late >= served) plan(now, queue[late]!.tries, queue[late]!.count)
    }
    for (const [before, count = 0] of (coming[now] ?? []).entries()) {
      if (count > 0) queue.push({ at: now, tries: before + 1, count })
      arrived += count
    }
    tries += arrived
    inLastSecond = [...inLastSecond.slice(1 - STEPS_PER_SECOND), arrived]
    peak = Math.max(
      peak,
      inLastSecond.reduce((sum, count) => sum + count, 0),
    )
    let room = takenPerSecond * step
    for (; room > 1e-9 && served < queue.length; served++) {
      const first = queue[served]!
      if (served < late && !storm.isLateWorkDone) continue
      const taken = Math.min(room, first.count)
      room -= taken
      first.count -= taken
      if (served >= late) back += taken
      if (first.count > 1e-9) break
    }
    if (back >= 0.99 * clients) mostBackSeconds = Math.min(mostBackSeconds, (now + 1) * step)
    if (back >= clients - 0.5) {
      return {
        mostBackSeconds,
        allBackSeconds: (now + 1) * step,
        peakTriesPerSecond: peak,
        triesPerClient: tries / clients,
      }
    }
  }
  return {
    mostBackSeconds,
    allBackSeconds: Number.POSITIVE_INFINITY,
    peakTriesPerSecond: peak,
    triesPerClient: tries / clients,
  }

  /** Spread evenly over the window of this many tries (full jitter). */
  function plan(from: number, before: number, count: number): void {
    const window = Math.min(storm.firstWindowSeconds * 2 ** before, storm.lastWindowSeconds)
    const steps = Math.max(1, Math.round(window * STEPS_PER_SECOND))
    const kind = Math.min(before, MAX_TOLD_APART)
    for (let i = 0; i < steps; i++) {
      coming[from + i] ??= []
      const of = coming[from + i]!
      of[kind] = (of[kind] ?? 0) + count / steps
    }
  }
}

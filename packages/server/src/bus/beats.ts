/** Signs of life: when this node gives one, and what it says in it. */
import type { Clock } from '../clock.ts'
import type { Channel } from './bus.ts'
import { channelTo } from './channels.ts'
import type { KnownPeople, NodeLife, NodeMessage, ToNode } from './messages.ts'
import { BEAT_MS } from './peers.ts'

/** A beat that comes this much late means that the whole process slept. */
export const SLEPT_MS = 5_000

export type Beat = Extract<NodeMessage, { readonly type: 'beat' }>

export interface BeatsOptions {
  readonly clock: Clock
  /** Milliseconds on a clock that does not jump. */
  readonly elapsed: () => number
  /** A beat passed, so much later than it should have. */
  readonly pass: (lateMs: number) => void
}

/** Rings once a beat until it is stopped. */
export class Beats {
  readonly #options: BeatsOptions
  #cancel = () => {}
  #isStopped = false

  constructor(options: BeatsOptions) {
    this.#options = options
    this.#wait()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #wait(): void {
    const { clock, elapsed, pass } = this.#options
    const before = elapsed()
    this.#cancel = clock.after(BEAT_MS, () => {
      pass(elapsed() - before - BEAT_MS)
      if (!this.#isStopped) this.#wait()
    })
  }
}

/** What a node says of itself. */
export interface BeatFacts {
  readonly channels: readonly Channel[]
  /** How many batches it said on each channel. */
  readonly heads: ReadonlyMap<Channel, number>
  /** Whether the store answers it; left out by one that does not know. */
  readonly hasStore: boolean | undefined
  /** The nodes it speaks to alone, and what it knows of their people; left out by one that tells all nodes of all. */
  readonly told:
    | {
        readonly nodes: readonly NodeLife[]
        readonly knownOf: (of: NodeLife) => Pick<KnownPeople, 'number' | 'reachesMs'> | undefined
      }
    | undefined
}

/** How far it has come on every channel, and what each node has to know of what was said to it alone. */
export function beatOf({ channels, heads, hasStore, told }: BeatFacts): Beat {
  const said = (channel: Channel) => heads.get(channel) ?? 0
  const toNode = (of: NodeLife): ToNode => {
    const known = told?.knownOf(of)
    return { said: said(channelTo(of.node)), ...(known && { known: { of, ...known } }) }
  }
  return {
    type: 'beat',
    heads: Object.fromEntries(channels.map((channel) => [channel, said(channel)])),
    ...(hasStore !== undefined && { hasStore }),
    ...(told && { to: Object.fromEntries(told.nodes.map((of) => [of.node, toNode(of)])) }),
  }
}

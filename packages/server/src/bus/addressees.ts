import type { UserId } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'
import type { From } from './hearer.ts'
import { type Commit, MAX_NAMED_AUDIENCE, type NodeLife, type NodeMessage } from './messages.ts'
import { Untold } from './untold.ts'

interface Peer extends NodeLife {
  /** It says that it does the same, and so understands what is said to it alone. Of older ones nothing is known. */
  isAlike: boolean
  /** All that it said of its people was heard, up to {@link number}. */
  isComplete: boolean
  number: number
  /** Parts of a list of all its people that were heard in order; undefined while none is being told. */
  parts: number | undefined
  /** Whoever came there lately and was not compared with {@link Untold} yet. */
  readonly arrived: Map<AppKey, Set<UserId>>
}

export interface AddresseesOptions {
  /** The lives of nodes, named as in {@link From}, at which somebody is said to be. */
  readonly nodesOf: (app: AppKey, userId: UserId) => Iterable<string>
  /** Moves remembered for nodes that are not known yet to be concerned. */
  readonly capacity?: number | undefined
}

/**
 * Which nodes are to be told of a commit: those at which somebody of its audience is, by what every node says of its
 * people anyway. All nodes are, as long as there is one of which this is not known: a node that was just heard of, one of
 * whose words on its people some were lost, one that is older than this rule. Pure: time is an argument.
 */
export class Addressees {
  readonly #nodesOf: AddresseesOptions['nodesOf']
  readonly #peers = new Map<string, Peer>()
  readonly #untold: Untold
  #areAllKnown = false
  /** Lives at which somebody came lately. */
  readonly #arrivedAt = new Set<string>()

  constructor({ nodesOf, capacity }: AddresseesOptions) {
    this.#nodesOf = nodesOf
    this.#untold = new Untold(capacity)
  }

  came({ life, node, incarnation }: From): void {
    const unknown = { isAlike: false, isComplete: false, number: 0, parts: undefined }
    this.#peers.set(life, { node, incarnation, ...unknown, arrived: new Map() })
    this.#look()
  }

  gone(life: string): void {
    this.#peers.delete(life)
    this.#arrivedAt.delete(life)
    this.#look()
  }

  /** @param isAlike whether it tells others only what concerns their people, too */
  beat(life: string, isAlike: boolean): void {
    const peer = this.#peers.get(life)
    if (!peer || peer.isAlike === isAlike) return
    peer.isAlike = isAlike
    this.#look()
  }

  /** Something that a node said of its people did not arrive, or came late. */
  missed({ node, incarnation }: NodeLife): void {
    for (const peer of this.#peers.values()) {
      if (peer.node !== node || peer.incarnation !== incarnation) continue
      peer.isComplete = false
      peer.parts = undefined
    }
    this.#look()
  }

  /** A node said something of its people. */
  heard({ life, number }: From, said: Extract<NodeMessage, { type: 'person' | 'everybody' }>): void {
    const peer = this.#peers.get(life)
    if (!peer) return
    peer.number = Math.max(peer.number, number)
    for (const { app, userId, isHere } of said.type === 'person' ? [said] : said.people) {
      if (!isHere) continue
      const ofApp = peer.arrived.get(app) ?? new Set()
      peer.arrived.set(app, ofApp.add(userId))
      this.#arrivedAt.add(life)
    }
    if (said.type === 'person') return
    if (said.part === 0) peer.parts = 0
    peer.parts = peer.parts === said.part ? said.part + 1 : undefined
    if (!said.isLast || peer.parts === undefined) return
    peer.isComplete = true
    peer.parts = undefined
    this.#look()
  }

  /** Up to which number a node's words on its people are known, and since when; undefined if they are not. */
  knownOf(life: string, now: number): { readonly number: number; readonly reachesMs: number } | undefined {
    const peer = this.#peers.get(life)
    if (!peer?.isAlike || !peer.isComplete) return undefined
    return { number: peer.number, reachesMs: this.#untold.reachesMs(now) }
  }

  /** Nodes that are to be told of a commit; undefined: all of them. */
  of(commit: Commit, now: number): readonly string[] | undefined {
    if (!this.#areAllKnown || commit.moves.some(isLarge)) return undefined
    const lives: string[] = []
    for (const move of commit.moves) {
      if (move.stream === 'inbox') this.#addNodesOf(commit.app, move.userId, lives)
      else for (const userId of move.audience) this.#addNodesOf(commit.app, userId, lives)
    }
    const told = lives.length === 0 ? NOBODY : lives
    this.#untold.add(commit, told, now)
    return told === NOBODY ? NOBODY : lives.map((life) => this.#peers.get(life)!.node)
  }

  /**
   * What nodes were not told while it was not known who had come to them; by node. To be said before the next commit is, so
   * that it is heard in order.
   */
  takeMissed(now: number): [node: string, missed: ReturnType<Untold['missedBy']>][] {
    if (this.#arrivedAt.size === 0) return []
    const all = [...this.#arrivedAt].flatMap((life): ReturnType<Addressees['takeMissed']> => {
      const peer = this.#peers.get(life)!
      const missed = this.#untold.missedBy(life, peer.arrived, now)
      peer.arrived.clear()
      return missed.length > 0 ? [[peer.node, missed]] : []
    })
    this.#arrivedAt.clear()
    return all
  }

  #addNodesOf(app: AppKey, userId: UserId, lives: string[]): void {
    for (const life of this.#nodesOf(app, userId)) if (this.#peers.has(life) && !lives.includes(life)) lives.push(life)
  }

  #look(): void {
    const peers = [...this.#peers.values()]
    this.#areAllKnown = peers.length > 0 && peers.every(({ isAlike, isComplete }) => isAlike && isComplete)
  }
}

const NOBODY: readonly string[] = []

/** Too many to look each of them up for every commit: the nodes know their own. */
const isLarge = (move: Commit['moves'][number]) =>
  move.stream === 'conversation' && move.audience.length > MAX_NAMED_AUDIENCE

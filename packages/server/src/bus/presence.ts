import type { UserId } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'
import { MAX_PEOPLE_PER_MESSAGE, type NodeMessage, type PersonAtNode } from './messages.ts'
import { Recent } from './recent.ts'

/** People of whom it is remembered when they were last seen, and that a node let them go. */
const MAX_GONE = 50_000

/** Somebody, as all nodes together know them. */
export interface PersonSeen {
  readonly isHere: boolean
  /** What they said of themselves last, wherever they are here. */
  readonly status: string | null
  /** When they said it; 0 if they said nothing. */
  readonly saidAt: number
  /** For who is not here: when they were last seen, 0 for never. */
  readonly seenAt: number
}

/** Whose presence changed. */
export interface PersonName {
  readonly app: AppKey
  readonly userId: UserId
}

type Everybody = Extract<NodeMessage, { type: 'everybody' }>
/** The number of the batch in which something was said: what was said later counts, whatever comes later. */
type Numbered<T> = T & { readonly number: number }

interface Collecting {
  readonly firstNumber: number
  readonly names: Set<string>
  parts: number
  last: number | undefined
}

/**
 * Who has connections at which node. This node's own people are told to the others as they come and go, and all of them
 * when somebody may have missed something; those of a node that died are gone with it. Pure: it answers who changed, and
 * what to say.
 *
 * It relies on `peers.ts` for who may be heard at all: a life of a node that is held for dead says nothing any more.
 */
export class Presence {
  readonly #own: string
  /** Name → node at which they are → what it said last of them. */
  readonly #people = new Map<string, Map<string, Numbered<PersonAtNode>>>()
  /** The same by node. */
  readonly #ofNode = new Map<string, Set<string>>()
  readonly #seenAt = new Recent<string, number>(MAX_GONE)
  /** Node and name → the number with which they went, lest an older word bring them back. */
  readonly #wentWith = new Recent<string, number>(MAX_GONE)
  readonly #collecting = new Map<string, Collecting>()

  /** @param own this node's name */
  constructor(own: string) {
    this.#own = own
  }

  of({ app, userId }: PersonName): PersonSeen {
    const name = nameOf(app, userId)
    const here = [...(this.#people.get(name)?.values() ?? [])]
    if (here.length === 0) return { isHere: false, status: null, saidAt: 0, seenAt: this.#seenAt.get(name) ?? 0 }
    const said = here.filter(({ status }) => status !== null).sort((a, b) => b.at - a.at)[0]
    return { isHere: true, status: said?.status ?? null, saidAt: said?.at ?? 0, seenAt: 0 }
  }

  /** Where somebody is: the names of nodes, as it was told of them. */
  nodesOf({ app, userId }: PersonName): Iterable<string> {
    return this.#people.get(nameOf(app, userId))?.keys() ?? []
  }

  /** Somebody came here, went, or said something of themselves. Answers what the others are to be told; null: nothing. */
  own(person: PersonAtNode): Extract<NodeMessage, { type: 'person' }> | null {
    const name = nameOf(person.app, person.userId)
    const before = this.#people.get(name)?.get(this.#own)
    const isKnown = person.isHere ? before !== undefined && before.status === person.status : before === undefined
    if (isKnown) return null
    if (person.isHere) this.#put(this.#own, { ...person, number: 0 })
    else this.#take(this.#own, name, person.at)
    return { type: 'person', ...person }
  }

  /** All who are here, for nodes that may have missed something; in one message for each thousand. */
  everybodyHere(): Everybody[] {
    const people = [...(this.#ofNode.get(this.#own) ?? [])].flatMap((name) => {
      const known = this.#people.get(name)?.get(this.#own)
      if (!known) return []
      const { number: _, ...person } = known
      return [person]
    })
    const count = Math.max(1, Math.ceil(people.length / MAX_PEOPLE_PER_MESSAGE))
    return Array.from({ length: count }, (_, part) => ({
      type: 'everybody' as const,
      part,
      isLast: part === count - 1,
      people: people.slice(part * MAX_PEOPLE_PER_MESSAGE, (part + 1) * MAX_PEOPLE_PER_MESSAGE),
    }))
  }

  /** Another node said something of somebody. Answers who changed. */
  hear(node: string, number: number, person: PersonAtNode): PersonName[] {
    return this.#changed([person], () => {
      this.#hearOne(node, number, person)
      return []
    })
  }

  /** Another node tells of all its people. Who is in no part of it is gone from there, once all parts were heard. */
  hearEverybody(node: string, number: number, said: Everybody): PersonName[] {
    return this.#changed(said.people, () => {
      for (const person of said.people) this.#hearOne(node, number, person)
      return this.#collect(node, number, said)
    })
  }

  /** A node is gone, and its people with it. */
  nodeGone(node: string, nowMs: number): PersonName[] {
    this.#collecting.delete(node)
    return this.#leave(node, [...(this.#ofNode.get(node) ?? [])], nowMs)
  }

  #hearOne(node: string, number: number, person: PersonAtNode): void {
    const name = nameOf(person.app, person.userId)
    const before = this.#people.get(name)?.get(node)?.number ?? this.#wentWith.get(`${node} ${name}`) ?? 0
    if (before > number) return
    if (person.isHere) {
      this.#put(node, { ...person, number })
      return
    }
    this.#take(node, name, person.at)
    this.#wentWith.put(`${node} ${name}`, number)
  }

  #collect(node: string, number: number, said: Everybody): PersonName[] {
    const known = this.#collecting.get(node)
    const isNew = !known || said.part === 0
    const collecting = isNew ? { firstNumber: number, names: new Set<string>(), parts: 0, last: undefined } : known
    this.#collecting.set(node, collecting as Collecting)
    for (const { app, userId } of said.people) collecting.names.add(nameOf(app, userId))
    collecting.parts += 1
    if (!said.isLast) return []
    this.#collecting.delete(node)
    // A part was lost: nothing can be said of who is missing. The gap in numbers has it told again.
    if (collecting.parts !== said.part + 1) return []
    const missing = [...(this.#ofNode.get(node) ?? [])].filter((name) => {
      const person = this.#people.get(name)?.get(node)
      return person && person.number < collecting.firstNumber && !collecting.names.has(name)
    })
    return this.#leave(node, missing, 0)
  }

  /** Takes people away from a node; answers for whom that made a difference. */
  #leave(node: string, names: readonly string[], seenAt: number): PersonName[] {
    const changed: PersonName[] = []
    for (const name of names) {
      const known = this.#people.get(name)?.get(node)
      if (!known) continue
      const { app, userId } = known
      const before = this.of({ app, userId })
      this.#take(node, name, Math.max(seenAt, known.at))
      if (isDifferent(before, this.of({ app, userId }))) changed.push({ app, userId })
    }
    return changed
  }

  #changed(people: readonly PersonName[], change: () => readonly PersonName[]): PersonName[] {
    const before = people.map((person) => this.of(person))
    const others = change()
    const changed = people.filter((person, i) => isDifferent(before[i]!, this.of(person)))
    return [...changed.map(({ app, userId }) => ({ app, userId })), ...others]
  }

  #put(node: string, person: Numbered<PersonAtNode>): void {
    const name = nameOf(person.app, person.userId)
    const nodes = this.#people.get(name) ?? new Map<string, Numbered<PersonAtNode>>()
    this.#people.set(name, nodes.set(node, person))
    const names = this.#ofNode.get(node) ?? new Set()
    this.#ofNode.set(node, names.add(name))
  }

  #take(node: string, name: string, seenAt: number): void {
    const names = this.#ofNode.get(node)
    if (names?.delete(name) && names.size === 0) this.#ofNode.delete(node)
    const nodes = this.#people.get(name)
    if (nodes?.delete(node) && nodes.size === 0) this.#people.delete(name)
    this.#seenAt.put(name, Math.max(seenAt, this.#seenAt.get(name) ?? 0))
  }
}

const nameOf = (app: AppKey, userId: UserId) => `${app} ${userId}`
/** Whether anybody would notice. */
export const isDifferent = (a: PersonSeen, b: PersonSeen) => a.isHere !== b.isHere || a.status !== b.status

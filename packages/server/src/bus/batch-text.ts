/**
 * The only way to write and to read what nodes say. One payload of the bus is a batch: who says it, a number that tells
 * whoever listens if one was lost, and messages.
 */
import type { UserId, Uuid } from '@parley/protocol'
import * as v from 'valibot'
import type { AppKey } from '../model/state.ts'
import { MAX_PAYLOAD_BYTES } from './bus.ts'
import { isApp, isCount, isNodeName, isObject, isPositive, isUser, isUuid, type Members } from './guards.ts'
import { MAX_NAMED_AUDIENCE, MAX_PEOPLE_PER_MESSAGE, type NodeLife, type NodeMessage } from './messages.ts'
import { readCommit } from './read-commit.ts'
import { Body, type Words } from './words.ts'

/** Messages in one batch. */
const MAX_MESSAGES = 20_000

export interface Batch extends NodeLife {
  /** 1, 2, 3 … of this life on this channel. */
  readonly number: number
  readonly messages: readonly NodeMessage[]
}

/**
 * The text of a batch: one line of JSON, and what its messages pass on as it is, in their order. Messages are given in
 * words, so that whoever splits batches encodes each of them once.
 */
export function encodeBatch(life: NodeLife, number: number, messages: readonly Words[]): string {
  const { node, incarnation } = life
  const heads = messages.map(({ head }) => head).join()
  const bodies: string[] = []
  for (const { body } of messages) bodies.push(...body)
  return (
    `{"node":${JSON.stringify(node)},"incarnation":${incarnation},"number":${number},"messages":[${heads}]}` +
    `${END_OF_JSON}${bodies.join('')}`
  )
}

/** Which JSON without white space has nowhere. */
const END_OF_JSON = '\n'

/** Bytes of a batch besides its messages, at most. */
const FRAME_BYTES = 512
const ROOM_BYTES = MAX_PAYLOAD_BYTES - FRAME_BYTES
/** Of a text in UTF-16, once it is UTF-8. */
const MAX_BYTES_PER_CHARACTER = 3

/**
 * Groups messages in words so that each batch fits into one payload. One that fits into none is left out: it is a hint.
 * @param lengthOf bytes of a text once written
 */
export function splitBatches(messages: readonly Words[], lengthOf: (text: string) => number): Words[][] {
  const characters = messages.reduce((sum, message) => sum + sizeOf(message, (text) => text.length), 0)
  if (messages.length > 0 && characters * MAX_BYTES_PER_CHARACTER <= ROOM_BYTES) return [[...messages]]
  const batches: Words[][] = []
  let room = 0
  for (const message of messages) {
    const length = sizeOf(message, lengthOf)
    if (length > ROOM_BYTES) continue
    if (length > room) {
      batches.push([])
      room = ROOM_BYTES
    }
    room -= length
    batches[batches.length - 1]!.push(message)
  }
  return batches
}

/** With the comma that may follow. */
const sizeOf = ({ head, body }: Words, lengthOf: (text: string) => number): number =>
  body.reduce((sum, text) => sum + lengthOf(text), lengthOf(head)) + 1

export interface ReadBatch extends Batch {
  /** Messages that were skipped: of a kind not known here; of a known kind, but not as it has to be. */
  readonly unknown: number
  readonly malformed: number
}

/** Reads the text of a batch; undefined if it is none. */
export function decodeBatch(text: string): ReadBatch | undefined {
  const found = text.indexOf(END_OF_JSON)
  // Nodes of the version before say JSON alone.
  const end = found < 0 ? text.length : found
  let value: unknown
  try {
    value = JSON.parse(text.slice(0, end))
  } catch {
    return undefined
  }
  const read = isObject(value) ? readHead(value) : undefined
  if (!read) return undefined
  const messages: NodeMessage[] = []
  let unknown = 0
  let malformed = 0
  const bodies = new Body(text, Math.min(text.length, end + END_OF_JSON.length))
  for (const one of read.messages) {
    const body = bodies.takeBody(isCount(one.body) ? one.body : 0)
    if (one.type === 'committed') {
      const commit = body && readCommit(one, body)
      if (commit) messages.push(commit)
      else malformed += 1
      continue
    }
    const schema = schemas.get(one.type)
    if (!schema) {
      unknown += 1
      continue
    }
    const other = v.safeParse(schema, one, { abortEarly: true })
    if (other.success) messages.push(other.output as NodeMessage)
    else malformed += 1
  }
  return { ...read, messages, unknown, malformed }
}

/** By hand, as commits are: a schema would copy each message only to find that it has a type. */
function readHead({ node, incarnation, number, messages }: Members) {
  const isBatch =
    isNodeName(node) &&
    isPositive(incarnation) &&
    isPositive(number) &&
    Array.isArray(messages) &&
    messages.length <= MAX_MESSAGES &&
    messages.every((one): one is Members & { type: string } => isObject(one) && typeof one.type === 'string')
  return isBatch ? { node, incarnation, number, messages } : undefined
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const flag = v.boolean()
const text = v.string()
const uuid = v.custom<Uuid>(isUuid)
const userId = v.custom<UserId>(isUser)
const app = v.custom<AppKey>(isApp)
const nodeName = v.custom<string>(isNodeName)
const life = { node: nodeName, incarnation: positive }

const audience = v.nullable(v.pipe(v.array(userId), v.maxLength(MAX_NAMED_AUDIENCE)))

const personAtNode = { app, userId, isHere: flag, status: v.nullable(v.pipe(text, v.maxLength(32))), at: count }

const knownPeople = { of: v.object(life), number: count, reachesMs: count }

const schemas: ReadonlyMap<string, v.GenericSchema> = new Map<NodeMessage['type'], v.GenericSchema>([
  [
    'typing',
    v.object({
      type: v.literal('typing'),
      app,
      conversation: uuid,
      sender: userId,
      action: v.picklist(['started', 'paused', 'finished']),
      audience,
    }),
  ],
  ['person', v.object({ type: v.literal('person'), ...personAtNode })],
  [
    'everybody',
    v.object({
      type: v.literal('everybody'),
      part: v.pipe(count, v.maxValue(10_000)),
      isLast: flag,
      people: v.pipe(v.array(v.object(personAtNode)), v.maxLength(MAX_PEOPLE_PER_MESSAGE)),
    }),
  ],
  ['who-is-there', v.object({ type: v.literal('who-is-there'), of: v.object(life) })],
  ['session-ended', v.object({ type: v.literal('session-ended'), session: uuid, at: count })],
  ['session-renewed', v.object({ type: v.literal('session-renewed'), session: uuid, expiresAt: count })],
  ['sessions-ended', v.object({ type: v.literal('sessions-ended'), app, userId, at: count })],
  [
    'beat',
    v.object({
      type: v.literal('beat'),
      heads: v.record(v.pipe(text, v.maxLength(32)), count),
      hasStore: v.optional(flag),
      to: v.optional(v.record(nodeName, v.object({ said: count, known: v.optional(v.object(knownPeople)) }))),
    }),
  ],
  ['known', v.object({ type: v.literal('known'), ...knownPeople })],
  ['leaving', v.object({ type: v.literal('leaving') })],
  ['held-for-dead', v.object({ type: v.literal('held-for-dead'), dead: v.object(life) })],
])

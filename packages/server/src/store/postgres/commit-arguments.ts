import type { Uuid } from '@parley/protocol'
import { AppMap } from '../../model/app-map.ts'
import { partsTextOf } from '../../model/message-text.ts'
import type { AppKey } from '../../model/state.ts'
import type { AppItem, Basis, BelievedConversation, ConversationWrite, Writes } from '../store.ts'
import { bigints, integers, jsons, texts, uuids } from './arrays.ts'

/** A commit as the parameters of `commit_batch`, and the conversations that it touches, in their places. */
export interface CommitArguments {
  readonly values: readonly unknown[]
  readonly touched: readonly AppItem<Uuid>[]
}

/** In one order everywhere, so that two commits lock rows in the same order. Null stands for none of a kind. */
export function commitArguments(writes: Writes): CommitArguments {
  const touched = touchedBy(writes)
  const inOrder = inPlace(touched)
  return { values: valuesOf(writes, touched, inOrder), touched: inOrder }
}

function valuesOf(writes: Writes, touched: AppMap<Touched>, inOrder: readonly Touched[]): unknown[] {
  const sessions = sorted(writes.sessions, ({ session }) => session.id)
  return [
    writes.at,
    ...touchedArguments(inOrder),
    ...sentArguments(writes, touched),
    json(touchedPeople(writes)),
    json(writes.participants),
    json(writes.messages.filter(isOld)),
    json(writes.purged),
    json(sorted(writes.people.map(flatPerson), ({ app, userId }) => nameOf(app, userId))),
    json(sessions.flatMap(({ session, tokenHash }) => (tokenHash === null ? [] : [{ ...session, tokenHash }]))),
    json(sessions.flatMap(({ session, tokenHash }) => (tokenHash === null ? [session] : []))),
    json(sorted(writes.nonces, ({ hash }) => hash)),
    json(sorted(writes.operations.map(flatOperation), ({ app, userId, id }) => `${app} ${id} ${userId}`)),
    json(
      writes.people.flatMap(({ app, profile, isInboxMoved }) =>
        isInboxMoved ? [{ app, userId: profile.userId }] : [],
      ),
    ),
  ]
}

/** A conversation that is changed, or only believed to be as it was. */
interface Touched extends AppItem<Uuid> {
  readonly name: string
  /** Among all that are touched, counted from 1. */
  place: number
  heads: ConversationWrite | undefined
  isChanged: boolean
  believed: BelievedConversation | undefined
  /** How many messages are new. */
  sent: number
}

function touchedBy({ conversations, participants, messages, purged, basis }: Writes): AppMap<Touched> {
  const touched = new AppMap<Touched>()
  const touch = (app: AppKey, key: Uuid): Touched => {
    const known = touched.get(app, key)
    if (known) return known
    const name = nameOf(app, key)
    const one = { app, key, name, place: 0, heads: undefined, isChanged: false, believed: undefined, sent: 0 }
    touched.set(app, key, one)
    return one
  }
  for (const believed of basis?.conversations ?? []) touch(believed.app, believed.key).believed = believed
  for (const heads of conversations) {
    const one = touch(heads.app, heads.record.id)
    one.heads = heads
    one.isChanged = true
  }
  for (const { app, conversation } of participants) touch(app, conversation).isChanged = true
  for (const { app, conversation, isNew } of messages) {
    const one = touch(app, conversation)
    one.isChanged = true
    one.sent += Number(isNew)
  }
  for (const { app, key } of purged) touch(app, key).isChanged = true
  return touched
}

const byName = (a: Touched, b: Touched) => (a.name < b.name ? -1 : 1)

function inPlace(touched: AppMap<Touched>): readonly Touched[] {
  const all = touched.values().sort(byName)
  for (const [index, one] of all.entries()) one.place = index + 1
  return all
}

function touchedArguments(touched: readonly Touched[]): unknown[] {
  return [
    integers(touched.map(appOf)),
    uuids(touched.map(keyOf)),
    bigints(touched.map(revisionOf)),
    integers(touched.map(isChangedOf)),
    bigints(touched.map(termsOf)),
    integers(touched.map(isChangedBlindly)),
    bigints(touched.map(sentOf)),
    bigints(touched.map(headSequenceOf)),
    bigints(touched.map(headPositionOf)),
    bigints(touched.map(lastMessageAtOf)),
    json(touched.flatMap(recordOf)),
  ]
}

// Functions made once: one that is made for each commit is compiled anew after each collection of garbage.
const appOf = ({ app }: Touched) => app
const keyOf = ({ key }: Touched) => key
const revisionOf = ({ believed }: Touched) => believed?.revision ?? null
const isChangedOf = ({ isChanged }: Touched) => Number(isChanged)
const isSent = ({ believed }: Touched) => believed?.change === 'messages'
const termsOf = (one: Touched) => (isSent(one) ? (one.believed?.terms ?? null) : null)
const isChangedBlindly = ({ isChanged, believed }: Touched) => Number(isChanged && believed?.change === undefined)
const sentOf = (one: Touched) => (isSent(one) ? one.sent : null)
const headSequenceOf = ({ heads }: Touched) => heads?.headSequence ?? null
const headPositionOf = ({ heads }: Touched) => heads?.headPosition ?? null
const lastMessageAtOf = ({ heads }: Touched) => heads?.lastMessageAt ?? null
const recordOf = ({ heads, believed }: Touched) =>
  heads && !(heads.isRecordSame && believed?.revision !== 0) ? [flatConversation(heads)] : []

type Message = Writes['messages'][number]

/** New messages, by id: that is the order in which two commits of the same ones would wait for each other. */
function sentArguments({ messages, at }: Writes, touched: AppMap<Touched>): unknown[] {
  const sent = messages.filter(isNew).sort(byId)
  return [
    integers(sent.map(({ app, conversation }) => touched.get(app, conversation)!.place)),
    bigints(sent.map(positionOf)),
    uuids(sent.map(idOf)),
    texts(sent.map(senderOf)),
    unusual(sent, sentAtOf, () => at),
    jsons(sent.map(partsTextOf)),
    unusual(sent, deletedAtOf, none),
    bigints(sent.map(sequenceOf)),
    unusual(sent, firstSequenceOf, sequenceOf),
    unusual(sent, changedAtOf, () => at),
  ]
}

const isNew = ({ isNew }: Message) => isNew
const isOld = ({ isNew }: Message) => !isNew
const byId = (a: Message, b: Message) => (a.id < b.id ? -1 : a.id === b.id ? a.app - b.app : 1)
const positionOf = ({ position }: Message) => position
const idOf = ({ id }: Message) => id
const senderOf = ({ sender }: Message) => sender
const sentAtOf = ({ sentAt }: Message) => sentAt
const deletedAtOf = ({ deletedAt }: Message) => deletedAt
const none = () => null
const sequenceOf = ({ sequence }: Message) => sequence
const firstSequenceOf = ({ firstSequence }: Message) => firstSequence
const changedAtOf = ({ changedAt }: Message) => changedAt

/** A column of numbers, unless each is what it usually is. */
function unusual<Row>(rows: readonly Row[], value: (row: Row) => number | null, usual: (row: Row) => number | null) {
  return rows.some((row) => value(row) !== usual(row)) ? bigints(rows.map(value)) : null
}

function touchedPeople({ people, basis }: Writes) {
  const believed: Basis['people'] = basis?.people ?? []
  const revisions = new Map(believed.map(({ app, key, revision }) => [nameOf(app, key), revision]))
  const items: AppItem<string>[] = [...people.map(({ app, profile }) => ({ app, key: profile.userId })), ...believed]
  const unique = new Map(items.map(({ app, key }) => [nameOf(app, key), { app, key }]))
  return sorted([...unique], ([name]) => name).map(([name, item]) => ({
    ...item,
    revision: revisions.get(name) ?? null,
  }))
}

const flatConversation = ({ record, isRecordSame: _, ...heads }: ConversationWrite) => ({ ...record, ...heads })
const flatOperation = ({ answer, ...rest }: Writes['operations'][number]) => ({ ...rest, ...answer })
const flatPerson = ({ profile, ...rest }: Writes['people'][number]) => ({ ...profile, ...rest })

const json = (rows: readonly unknown[]): string | null => (rows.length === 0 ? null : JSON.stringify(rows))

/** Whatever is locked is locked in the order of these. */
export const nameOf = (app: number, key: string): string => `${app} ${key}`

/** In order of key. Any order will do as long as every process has the same: here, that of UTF-16 units. */
function sorted<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  if (items.length < 2) return [...items]
  return items
    .map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ item }) => item)
}

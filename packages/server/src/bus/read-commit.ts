/**
 * Reads what another node says it committed. Nearly all that nodes say is this, and a schema library takes four times as
 * long for it as finding out by hand, which is what this file does and no other.
 */
import { isPositionSet, isTooDeep } from '@parley/protocol'
import type { MessageRow } from '../model/runs.ts'
import { isApp, isCount, isObject, isParts, isPositive, isTextOrNull, isUser, isUuid, type Members } from './guards.ts'
import { type CommitHint, MAX_NAMED_AUDIENCE, type MoveHint } from './messages.ts'
import { readRun } from './sent-text.ts'
import type { Body } from './words.ts'

/** Streams that one commit may move. */
const MAX_MOVES = 4_096

/** How deep what somebody asked for, or the metadata of a conversation, may be nested: others go through it. */
const MAX_DEPTH = 16

/**
 * The commit that a value of JSON describes; undefined if it is not as it has to be. Rows that are not are left out: they
 * can be read from the store.
 * @param body what of it was to be passed on as it is
 */
export function readCommit(value: Members, body: Body): CommitHint | undefined {
  const { app, actor, operation, cursor, at, moves } = value
  const isCommit =
    isApp(app) &&
    (actor === null || isUser(actor)) &&
    typeof operation === 'string' &&
    operation.length <= 64 &&
    isCount(cursor) &&
    isCount(at) &&
    Array.isArray(moves) &&
    moves.length > 0 &&
    moves.length <= MAX_MOVES &&
    !isTooDeep(value.input, MAX_DEPTH)
  if (!isCommit) return undefined
  const read: MoveHint[] = []
  for (const move of moves) {
    const one = isObject(move) ? readMove(move, body) : undefined
    if (!one) return undefined
    read.push(one)
  }
  const input = 'input' in value ? { input: value.input } : {}
  return { type: 'committed', app, actor, operation, ...input, cursor, at, moves: read }
}

function readMove(move: Members, body: Body): MoveHint | undefined {
  const { after, sequence } = move
  // It goes forward, and its rows lie in it.
  if (!isCount(after) || !isPositive(sequence) || sequence <= after) return undefined
  const isWithin = (row: unknown) => (row as number) > after && (row as number) <= sequence
  if (move.stream === 'inbox') {
    if (!isUser(move.userId)) return undefined
    const rows = rowsOf(move.rows, isInboxRow)
    if (rows && !rows.every((row) => isWithin(recordOf(row).inboxSequence))) return undefined
    return { stream: 'inbox', userId: move.userId, after, sequence, rows } as unknown as MoveHint
  }
  const { id, audience } = move
  if (move.stream !== 'conversation' || !isUuid(id) || !isAudience(audience)) return undefined
  const rows = rowsOf(move.rows, isRow, (row) => readRun(row, id, body))
  if (rows && !rows.every((row) => isWithin(recordOf(row).sequence))) return undefined
  return { stream: 'conversation', id, after, sequence, audience, rows } as unknown as MoveHint
}

/**
 * Null if any of them is not of a kind that is known here.
 * @param readRun the messages of a run, where there may be one
 */
function rowsOf(
  rows: unknown,
  isKnown: (row: Members) => boolean,
  readRun?: (row: Members) => MessageRow[] | null,
): readonly Members[] | null {
  if (!Array.isArray(rows)) return null
  const read: Members[] = []
  for (const row of rows) {
    if (!isObject(row)) return null
    if (row.type === 'run' && readRun) {
      const run = readRun(row)
      if (!run) return null
      read.push(...(run as unknown as Members[]))
    } else if (isKnown(row)) read.push(row)
    else return null
  }
  return read
}

const recordOf = (row: Members) => row.record as Members

function isRow(row: Members): boolean {
  if (!isObject(row.record)) return false
  switch (row.type) {
    case 'conversation':
      return isConversation(row.record)
    case 'participant':
      return isParticipant(row.record) && isProfile(row.profile) && isAbsentOr(row.before, isParticipant)
    case 'message':
      return isMessage(row.record) && isAbsentOr(row.sender, isBasicProfile)
    default:
      return false
  }
}

const isInboxRow = ({ conversation, record }: Members) => isUuid(conversation) && isParticipant(record)

const isConversation = (record: Members) =>
  isUuid(record.id) &&
  isCount(record.createdAt) &&
  isUser(record.createdBy) &&
  isTextOrNull(record.distinctKey) &&
  isObject(record.metadata) &&
  !isTooDeep(record.metadata, MAX_DEPTH) &&
  isCountOrNull(record.deletedAt) &&
  isPositive(record.sequence) &&
  isCount(record.changedAt)

const STATES: ReadonlySet<unknown> = new Set(['joined', 'hidden', 'left', 'removed'])

const isParticipant = (record: unknown) =>
  isObject(record) &&
  isUser(record.userId) &&
  STATES.has(record.state) &&
  isCount(record.order) &&
  isCount(record.joinedAt) &&
  isPositionSet(record.absent) &&
  isPositionSet(record.delivered) &&
  isPositionSet(record.read) &&
  isPositionSet(record.hidden) &&
  isCountOrNull(record.lastPosition) &&
  isCount(record.sequence) &&
  isCount(record.inboxSequence) &&
  isCount(record.changedAt)

const isMessage = (record: Members) =>
  isUuid(record.id) &&
  isUuid(record.conversation) &&
  isPositive(record.position) &&
  isUser(record.sender) &&
  isCount(record.sentAt) &&
  isParts(record.parts) &&
  isCountOrNull(record.deletedAt) &&
  isPositive(record.sequence) &&
  isPositive(record.firstSequence) &&
  isCount(record.changedAt)

const isBasicProfile = (profile: unknown) =>
  isObject(profile) && isUser(profile.userId) && isTextOrNull(profile.displayName) && isTextOrNull(profile.avatarUrl)

const isProfile = (profile: unknown) =>
  isObject(profile) &&
  isBasicProfile(profile) &&
  isTextOrNull(profile.firstName) &&
  isTextOrNull(profile.lastName) &&
  isTextOrNull(profile.emailAddress) &&
  isTextOrNull(profile.phoneNumber) &&
  isTextOrNull(profile.publicKey) &&
  isObject(profile.metadata) &&
  Object.values(profile.metadata).every((value) => typeof value === 'string') &&
  isCount(profile.createdAt) &&
  isCountOrNull(profile.suspendedAt)

const isAudience = (audience: unknown) =>
  audience === null || (Array.isArray(audience) && audience.length <= MAX_NAMED_AUDIENCE && audience.every(isUser))

const isAbsentOr = (value: unknown, is: (value: unknown) => boolean) => value === undefined || is(value)
const isCountOrNull = (value: unknown) => value === null || isCount(value)

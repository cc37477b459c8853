/**
 * Two apps on one store, whose people, conversations, messages and operations bear the same ids, or, in another
 * world, ids of their own. What is seen of one app must be the same in both worlds to the last character: then nothing
 * of the other reaches it.
 */
import { createHash } from 'node:crypto'
import type { OperationName, UserId, Uuid } from '@parley/protocol'
import { SeededChance } from '@parley/testkit'
import type { AppKey } from '../../src/model/state.ts'
import { WriteLane } from '../../src/operations/lane.ts'
import type { Outcome } from '../../src/operations/lane-request.ts'
import { openSession } from '../../src/operations/open-session.ts'
import { suspendUser } from '../../src/operations/suspend-user.ts'
import { operations } from '../../src/operations/table.ts'
import type { Store } from '../../src/store/store.ts'

const OPERATIONS = 260
const PEOPLE = ['alice', 'ben', 'cleo', 'dave', 'eve', 'finn']
const CONVERSATIONS = 9
const MESSAGES = 90
/** Few enough for one to be used again, by the other app and by the same. */
const OPERATION_IDS = 40
const SECOND_MS = 1_000

/** How ids are spelled in a world; the second app's may be the first one's. */
interface Spelling {
  person(nth: number): UserId
  conversation(nth: number): Uuid
  message(nth: number): Uuid
  operation(nth: number): Uuid
}

const uuidOf = (text: string): Uuid => {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as Uuid
}

const spelling = (own: string): Spelling => ({
  person: (nth) => `${own}${PEOPLE[nth]}` as UserId,
  conversation: (nth) => uuidOf(`${own}conversation ${nth}`),
  message: (nth) => uuidOf(`${own}message ${nth}`),
  operation: (nth) => uuidOf(`${own}operation ${nth}`),
})

/** The other one's rows come first in every index: where a statement takes the first it finds, it takes theirs. */
const OTHER = 1 as AppKey
const OWN = 2 as AppKey
export const CANARY = 'canary of the other app'

export interface Seen {
  /** What was asked → what was answered. */
  readonly answers: ReadonlyMap<string, string>
  /** How much was done. */
  readonly outcomes: readonly string[]
}

/** Lives both apps' lives on a store and looks at the first one's. */
export async function live(store: Store, { areIdsShared }: { readonly areIdsShared: boolean }): Promise<Seen> {
  let now = 1_800_000_000_000
  const bugs: string[] = []
  const lane = new WriteLane({
    store,
    publish: () => undefined,
    now: () => now,
    log: (message, details) => bugs.push(`${message} ${JSON.stringify(details)}`),
    // Nothing is kept between batches, so that every statement is asked every time.
    memory: { conversations: 0, people: 0, messages: 0 },
  })
  const apps = [
    { app: OTHER, spelled: spelling(areIdsShared ? '' : 'other '), chance: new SeededChance(621), secret: CANARY },
    { app: OWN, spelled: spelling(''), chance: new SeededChance(126), secret: 'of this app' },
  ]
  const outcomes: string[] = []
  for (const { app, secret } of apps) {
    const provider = { id: uuidOf(`provider ${app}`), app, jwksUrl: null }
    const rest = { environment: 'staging', sessionSeconds: null, allowedOrigins: null, suspendedAt: null } as const
    await store.apps.create(
      { ...rest, key: app, id: uuidOf(`app ${app}`), name: secret, createdAt: now },
      provider,
      null,
    )
  }
  for (const { app, spelled, secret } of apps) {
    for (const [nth, name] of PEOPLE.entries()) {
      if (app === OWN && name === 'finn') continue
      const input = {
        id: uuidOf(`session ${app} ${name}`),
        tokenHash: `hash ${app} ${name}`,
        expiresAt: now + 1e9 + app,
        nonce: { nonceHash: `nonce ${app} ${name}`, isGood: true, forgetAt: now + 1e9 },
        isSuspended: false,
        claims: { displayName: `${name} ${secret}`, avatarUrl: `https://${app}.example` },
      }
      await lane.submit({ operation: openSession, input: input as never, app, userId: spelled.person(nth) })
      now += SECOND_MS
    }
  }
  const turns = new SeededChance(7)
  for (let nth = 0; nth < 2 * OPERATIONS; nth++) {
    const { app, spelled, chance, secret } = turns.pick(apps)
    const place = chance.below(CONVERSATIONS)
    const circle = circleOf(app, place)
    const [name, input, operationId] = something({ chance, spelled, secret, nth, place, circle })
    const userId = spelled.person(chance.pick(circle))
    const { operation } = operations[name]
    const outcome = (await lane.submit({ operation, input, app, userId, operationId } as never)) as Outcome
    now += SECOND_MS
    if (app === OWN) outcomes.push(`${name} ${JSON.stringify(outcome)}`)
  }
  await tidyUp(lane, apps[0]!)
  const suspended = { userId: spelling(areIdsShared ? '' : 'other ').person(1), suspendedAt: now }
  await lane.submit({ operation: suspendUser, input: suspended, app: OTHER, userId: null })
  outcomes.push(...bugs)
  return { answers: await look(store, OWN, spelling(''), now), outcomes }
}

/** At the end many messages of the other app are deleted, and two of its conversations whole. */
async function tidyUp(lane: WriteLane, { app, spelled }: { readonly app: AppKey; readonly spelled: Spelling }) {
  const mode = 'all_participants'
  for (let place = 0; place < CONVERSATIONS; place++) {
    const conversation = spelled.conversation(place)
    const deletions = [
      ...[0, 1, 2, 3].map((nth) => ({
        operation: operations['delete-message'].operation,
        input: { conversation, message: spelled.message(place + CONVERSATIONS * nth), mode },
      })),
      ...(place === 1 || place === CONVERSATIONS - 1
        ? [{ operation: operations['delete-conversation'].operation, input: { conversation, mode, leave: false } }]
        : []),
    ]
    // Whoever may; the others are refused.
    for (const deletion of deletions) {
      for (let nth = 0; nth < PEOPLE.length; nth++) {
        await lane.submit({ ...deletion, app, userId: spelled.person(nth) } as never)
      }
    }
  }
}

/**
 * Who acts in a conversation. In half of the other app’s everybody meets everybody; in this one’s there are two circles that never
 * meet, so that an acquaintance between them can only come from elsewhere.
 */
function circleOf(app: AppKey, place: number): readonly number[] {
  if (app === OTHER && place % 2 === 1) return [0, 1, 2, 3, 4, 5]
  return place < CONVERSATIONS - 3 ? [0, 1, 2] : [3, 4]
}

function something(of: {
  readonly chance: SeededChance
  readonly spelled: Spelling
  readonly secret: string
  readonly nth: number
  readonly place: number
  readonly circle: readonly number[]
}): readonly [OperationName, unknown, Uuid] {
  const { chance, spelled, secret, nth, place, circle } = of
  const conversation = spelled.conversation(place)
  const operation = spelled.operation(chance.below(OPERATION_IDS))
  // Each conversation has messages of its own, so that who deletes one mostly finds it there.
  const message = spelled.message(place + CONVERSATIONS * chance.below(Math.floor(MESSAGES / CONVERSATIONS)))
  const what = chance.number()
  const somebody = () => spelled.person(chance.pick(circle))
  if (what < 0.1) {
    const participants = Array.from({ length: 1 + chance.below(4) }, somebody)
    const distinct = chance.below(2) === 0
    return ['create-conversation', { id: conversation, participants, distinct, metadata: { secret } }, conversation]
  }
  if (what < 0.6) {
    return [
      'send-message',
      { id: message, conversation, parts: [{ mime_type: 'text/plain', body: `${secret} ${nth}` }] },
      message,
    ]
  }
  if (what < 0.7) {
    const receipt = chance.pick(['read', 'delivery'])
    const input = { conversation, receipt, position: 1 + chance.below(12), only: chance.below(2) === 0 }
    return ['mark-messages', input, operation]
  }
  if (what < 0.82) {
    const patch = chance.pick([
      [{ operation: 'set', property: 'metadata.colour', value: `${secret} ${nth}` }],
      [{ operation: 'add', property: 'participants', id: somebody() }],
      [{ operation: 'add', property: 'participants', id: somebody() }],
      [{ operation: 'remove', property: 'participants', id: somebody() }],
    ])
    return ['update-conversation', { conversation, patch }, operation]
  }
  const mode = chance.pick(['my_devices', 'all_participants'])
  if (what < 0.97) return ['delete-message', { conversation, message, mode }, operation]
  const leave = mode === 'my_devices' && chance.below(2) === 0
  return ['delete-conversation', { conversation, mode: chance.below(2) ? 'my_devices' : mode, leave }, operation]
}

/** Every question that can be asked of a store about an app, from everybody's place. */
async function look(store: Store, app: AppKey, spelled: Spelling, now: number): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>()
  const ask = async (question: string, answer: Promise<unknown>) => {
    answers.set(question, JSON.stringify(await answer) ?? 'undefined')
  }
  const all = (count: number) => Array.from({ length: count }, (_, nth) => nth)
  const people = all(PEOPLE.length).map(spelled.person)
  const conversations = all(CONVERSATIONS).map(spelled.conversation)
  const messages = all(MESSAGES).map(spelled.message)
  const { streams, lists, log, apps } = store
  const start = now - OPERATIONS * SECOND_MS
  await ask('providers', apps.providersOf(app))
  for (const id of messages) await ask(`message ${id}`, lists.message(app, id))
  for (const id of conversations) {
    await ask(`audience ${id}`, streams.audience(app, id))
    for (const after of [0, 3]) await ask(`for all ${id} ${after}`, streams.conversationForAll(app, id, after, 500))
  }
  for (const viewer of people) {
    for (const after of [0, 100]) await ask(`moved ${viewer} ${after}`, streams.moved(app, viewer, after))
    for (const limit of [3, 500]) await ask(`inbox ${viewer} ${limit}`, streams.inbox(app, viewer, 2, limit))
    await ask(`sign-in ${viewer}`, apps.forSignIn(uuidOf(`app ${app}`), { keyId: 'none', userId: viewer }))
    await ask(`profile ${viewer}`, lists.profile(app, viewer))
    await ask(`conversations of ${viewer}`, lists.conversationsOf(app, viewer))
    await ask(`moved since ${viewer}`, lists.movedSince(app, viewer, start))
    await ask(`sessions of ${viewer}`, apps.liveSessionsOf(app, viewer))
    for (const from of [null, people[1]!]) {
      await ask(`acquaintances ${viewer} ${from}`, lists.acquaintances(app, viewer, { from, limit: 3 }))
    }
    for (const other of people) await ask(`acquainted ${viewer} ${other}`, lists.areAcquainted(app, viewer, other))
    for (const sortBy of ['created_at', 'last_message'] as const) {
      for (const from of [null, ...conversations]) {
        const page = { sortBy, from, limit: 2 }
        await ask(`conversations ${viewer} ${sortBy} ${from}`, lists.conversations(app, viewer, page))
      }
    }
    for (const id of conversations) {
      await ask(`conversation ${viewer} ${id}`, lists.conversation(app, id, viewer))
      for (const [after, limit] of [
        [0, 500],
        [4, 3],
      ] as const) {
        await ask(`stream ${viewer} ${id} ${after}`, streams.conversation(app, id, viewer, after, limit))
        await ask(
          `written ${viewer} ${id} ${after}`,
          readOut(streams.writtenConversations(app, viewer, [{ id, after }], limit)),
        )
      }
      for (const before of [null, 4]) {
        await ask(`page ${viewer} ${id} ${before}`, streams.messages(app, id, viewer, before, 3))
      }
      for (const from of [null, ...messages.slice(0, 12)]) {
        await ask(`messages ${viewer} ${id} ${from}`, lists.messages(app, id, viewer, { from, limit: 4 }))
      }
      for (const [since, limit] of [
        [start, 100],
        [now - 40_000, 3],
        [0, 5],
      ] as const) {
        const page = { above: 0, limit }
        await ask(`since ${viewer} ${id} ${since}`, lists.messagesSince(app, id, viewer, since, page))
      }
    }
  }
  const wanted = {
    conversations: conversations.map((key) => ({ app, key })),
    distinctKeys: [],
    messages: messages.map((key) => ({ app, key })),
    people: people.map((key) => ({ app, key })),
    operations: people.flatMap((userId) =>
      all(OPERATION_IDS).map((nth) => ({ app, userId, id: spelled.operation(nth) })),
    ),
    nonces: [],
    sessions: [],
  }
  const loaded = await log.load(wanted)
  await ask('what the lane loads', Promise.resolve(loaded))
  for (const { record } of loaded.conversations) {
    if (record.distinctKey === null) continue
    const asked = { ...wanted, conversations: [], messages: [], people: [], operations: [] }
    await ask(`distinct ${record.id}`, log.load({ ...asked, distinctKeys: [{ app, key: record.distinctKey }] }))
  }
  // Last, since it changes something: the other app's sessions of the same names go on.
  for (const viewer of people.slice(0, 2))
    await ask(`sessions ended of ${viewer}`, apps.endSessionsOf(app, viewer, now))
  await ask('sessions of the app that were left', apps.endSessionsOfApp(app, now))
  const others = [...people, ...people.map((name) => `other ${name}` as UserId)]
  const left = await Promise.all(others.map((name) => apps.liveSessionsOf(OTHER, name)))
  await ask('sessions of the other app that go on', Promise.resolve(left.flat().length))
  return answers
}

/** What was written out as bytes, as text. */
const readOut = async (pages: ReturnType<Store['streams']['writtenConversations']>): Promise<unknown> =>
  (await pages).map((page) =>
    page?.rows.map((row) => (row.type === 'messages' ? Buffer.from(row.bytes).toString() : row)),
  )

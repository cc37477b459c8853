import type { AppItem, Writes } from '../store.ts'

/**
 * A commit as the parameters of `commit_batch`: one JSON array for each table, null for none, in one order everywhere, so
 * that two commits lock rows in the same order.
 */
export function commitArguments(writes: Writes): unknown[] {
  const { at, basis } = writes
  const replaced = new Set(writes.conversations.map(({ app, record }) => nameOf({ app, key: record.id })))
  const changedWithin = [
    ...writes.participants.map(({ app, conversation }) => ({ app, key: conversation })),
    ...writes.messages.map(({ app, conversation }) => ({ app, key: conversation })),
    ...writes.purged,
  ]
  const within = new Set(changedWithin.map(nameOf))
  const conversations = touched(
    [...writes.conversations.map(({ app, record }) => ({ app, key: record.id })), ...changedWithin],
    basis?.conversations,
    // Its own row is not among those written, and its revision counts all the same.
  ).map((item) => ({ ...item, isOnlyWithin: within.has(nameOf(item)) && !replaced.has(nameOf(item)) }))
  const people = touched(
    writes.people.map(({ app, profile }) => ({ app, key: profile.userId })),
    basis?.people,
  )
  const sent = writes.messages.filter(({ isNew }) => isNew)
  const changed = writes.messages.filter(({ isNew }) => !isNew)
  const sessions = sorted(writes.sessions, ({ session }) => session.id)
  return [
    at,
    json(conversations),
    json(people),
    json(sorted(writes.conversations.map(flatConversation), ({ app, id }) => nameOf({ app, key: id }))),
    json(writes.participants),
    json(sorted(sent, ({ app, id }) => nameOf({ app, key: id }))),
    json(changed),
    json(writes.purged),
    json(sorted(writes.people.map(flatPerson), ({ app, userId }) => nameOf({ app, key: userId }))),
    json(sessions.flatMap(({ session, tokenHash }) => (tokenHash === null ? [] : [{ ...session, tokenHash }]))),
    json(sessions.flatMap(({ session, tokenHash }) => (tokenHash === null ? [session] : []))),
    json(sorted(writes.nonces, ({ hash }) => hash)),
    json(sorted(writes.operations, ({ app, userId, id }) => `${app} ${id} ${userId}`)),
  ]
}

const flatConversation = ({ record, ...heads }: Writes['conversations'][number]) => ({ ...record, ...heads })
const flatPerson = ({ profile, ...rest }: Writes['people'][number]) => ({ ...profile, ...rest })

const json = (rows: readonly unknown[]): string | null => (rows.length === 0 ? null : JSON.stringify(rows))

/** Each item once, sorted, with what is believed of it; null for what a writer that is the only one need not say. */
function touched<K extends string>(
  items: readonly AppItem<K>[],
  basis: readonly (AppItem<K> & { readonly revision: number })[] = [],
) {
  const revisions = new Map(basis.map((item) => [nameOf(item), item.revision]))
  const unique = new Map([...items, ...basis].map(({ app, key }) => [nameOf({ app, key }), { app, key }]))
  return sorted([...unique], ([name]) => name).map(([name, item]) => ({
    ...item,
    revision: revisions.get(name) ?? null,
  }))
}

const nameOf = ({ app, key }: AppItem<string>): string => `${app} ${key}`

/** In order of key. Any order will do as long as every process has the same: here, that of UTF-16 units. */
function sorted<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  if (items.length < 2) return [...items]
  return items
    .map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ item }) => item)
}

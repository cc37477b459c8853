/** Nothing of one app reaches another, though everything in both is called the same; and the tests would notice. */
import { readdirSync, readFileSync } from 'node:fs'
import { openSqliteStore } from '@parley/server'
import { beforeAll, expect, it } from 'vitest'
import { openMemoryStore } from '../src/store/memory/memory-store.ts'
import type { Store } from '../src/store/store.ts'
import { bondsOf, type Mutant, mutantsOf, rewriting } from './isolation/mutants.ts'
import { CANARY, live, type Seen } from './isolation/two-apps.ts'

/** Tables whose rows belong to an app. */
const OWNED =
  /\b(?:FROM|INTO|UPDATE|JOIN) (identities|conversations|participants|messages|operations|sessions|providers|provider_keys)\b/

/** Statements on such tables without a bond to an app, and what keeps the apps apart there all the same. */
const KEPT_APART_OTHERWISE: readonly (readonly [statement: RegExp, why: string])[] = [
  [
    /^\s*INSERT INTO \w+ VALUES/,
    'the row brings its app along, and the key that a conflict is found by begins with it',
  ],
  [
    /^SELECT \* FROM sessions WHERE (token_hash|id) = \?$/,
    'a token of 256 random bits, or an id of ours, names one session; its row says of which app',
  ],
  [/^UPDATE sessions SET .* WHERE id = \?$/, 'the id is ours, and was read from the session itself'],
  [/^SELECT id FROM sessions WHERE ended_at/, 'ids only, of all apps, for the server’s own sweep'],
  [/^SELECT \* FROM (providers|provider_keys) WHERE id = \?$/, 'who asks compares the app it says: EIT-10'],
  [/^SELECT \* FROM provider_keys WHERE provider = \?/, 'a provider belongs to one app'],
  [/^DELETE FROM operations WHERE at < \?$/, 'what nobody can repeat any more, of all apps'],
]

const sqlFolder = new URL('../src/store/sqlite/', import.meta.url)

async function liveOn(store: Store, areIdsShared: boolean): Promise<Seen> {
  try {
    return await live(store, { areIdsShared })
  } finally {
    await store.close()
  }
}

const differences = (one: Seen, other: Seen): readonly string[] => [
  ...[...one.answers].flatMap(([question, answer]) => (other.answers.get(question) === answer ? [] : [question])),
  ...one.outcomes.flatMap((outcome, nth) => (other.outcomes[nth] === outcome ? [] : [`outcome ${nth}: ${outcome}`])),
]

let apart: Seen
let together: Seen
const statements = new Set<string>()
beforeAll(async () => {
  apart = await liveOn(openSqliteStore(':memory:'), false)
  const record = (sql: string) => {
    statements.add(sql)
    return sql
  }
  together = await rewriting(record, () => liveOn(openSqliteStore(':memory:'), true))
})

it('126 two apps that call everything the same: each is as it would be beside one with other names', () => {
  expect(differences(apart, together)).toEqual([])
  expect(together.answers.size).toBeGreaterThan(900)
  const done = together.outcomes.filter((outcome) => outcome.includes('"hasChanged":true'))
  expect(done.length).toBeGreaterThan(40)
  expect([...together.answers.values(), ...together.outcomes].filter((said) => said.includes(CANARY))).toEqual([])
})

it('126 so it is on the store in memory', async () => {
  const [one, other] = [await liveOn(openMemoryStore(), false), await liveOn(openMemoryStore(), true)]
  expect(differences(one, other)).toEqual([])
  expect([...other.answers.values(), ...other.outcomes].filter((said) => said.includes(CANARY))).toEqual([])
})

it('126 every statement that touches what belongs to apps is bound to one, or it is written down why not', () => {
  const unbound = [...statements].filter((sql) => OWNED.test(sql) && bondsOf(sql).length === 0)
  const unexplained = unbound.filter((sql) => !KEPT_APART_OTHERWISE.some(([statement]) => statement.test(sql.trim())))
  expect(unexplained).toEqual([])
})

it('126 every statement with a bond in the source of the store is among those that are tried', () => {
  const literals = readdirSync(sqlFolder)
    .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
    .flatMap((name) => readFileSync(new URL(name, sqlFolder), 'utf8').match(/`[^`]*`|'[^'\n]*'/g) ?? [])
    .map((literal) => literal.slice(1, -1))
    .filter((literal) => bondsOf(literal).length > 0)
  expect(literals.length).toBeGreaterThan(30)
  const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const isTried = (literal: string) => {
    const shape = new RegExp(
      `^${literal
        .split(/\$\{[^}]*\}/)
        .map(escaped)
        .join('[^]*')}$`,
    )
    return [...statements].some((sql) => shape.test(sql))
  }
  expect(literals.filter((literal) => !isTried(literal))).toEqual([])
})

it('126 each statement without one of its bonds to an app is noticed', { timeout: 240_000 }, async () => {
  const mutants = [...statements].flatMap(mutantsOf)
  expect(mutants.length).toBeGreaterThan(40)
  const survivors: Mutant[] = []
  for (const mutant of mutants) {
    const cut = (sql: string) => (sql === mutant.sql ? mutant.mutated : sql)
    // What cannot be carried out any more is noticed as well.
    const seen = await rewriting(cut, () => liveOn(openSqliteStore(':memory:'), true)).catch(() => undefined)
    if (seen && differences(apart, seen).length === 0) survivors.push(mutant)
  }
  console.log(`126 ${statements.size} statements, ${mutants.length} mutants, ${survivors.length} survived`)
  expect(survivors.map(({ bond, sql }) => `${bond} in ${sql.replace(/\s+/g, ' ')}`)).toEqual([])
})

import { builtinModules } from 'node:module'
import { judge, type Row } from '../row.ts'
import { runTests, type Told } from '../runner/tests-as-row.ts'

const ID = 25
/** Where the suite has to run, by the names of its tests, and how the table calls them. */
const PLACES = {
  '25 the store in memory': 'memory',
  '25 the store in memory, for several writers': 'memoryForMany',
  '25 SQLite in memory': 'sqliteInMemory',
  '25 SQLite on a disk': 'sqliteFile',
  '25 SQLite on threads of its own': 'sqliteThreads',
  '25 PostgreSQL 15': 'postgres15',
  '25 PostgreSQL 18': 'postgres18',
} as const
const FOR_ONE = ['memory', 'sqliteInMemory', 'sqliteFile', 'sqliteThreads'] as const
const FOR_MANY = ['memoryForMany', 'postgres15', 'postgres18'] as const

type Place = (typeof PLACES)[keyof typeof PLACES]

/**
 * SQLite is `better-sqlite3` everywhere. `node:sqlite` is not there in Node 20, and where it is, nothing of ours opens a
 * store with it: the figure says which of the two is so.
 */
export const row: Row = {
  id: ID,
  tier: 'q',
  title: 'one suite for every store: PostgreSQL 15 and 18, SQLite, memory',
  // PostgreSQL 15 and 18 and threads one after the other: two and a half minutes were seen on a busy machine.
  limitMs: 300_000,
  livesInTests: true,
  async run(context) {
    const { result, own } = await runTests(ID, context)
    const rules = new Map<Place, Set<string>>()
    for (const [title, place] of Object.entries(PLACES)) rules.set(place, rulesOf(own, title))
    const { bites = 0, failed = 0 } = result.figures
    return judge({
      bites: Number(bites),
      figures: {
        failed,
        ...Object.fromEntries([...rules].map(([place, { size }]) => [place, size])),
        nodeSqlite: builtinModules.includes('sqlite') ? 'unused' : 'none',
      },
      holds: {
        ...Object.fromEntries(result.problems.map((problem) => [problem, false])),
        'every store for one server keeps the rules of the one in memory': FOR_ONE.every((place) =>
          keeps(rules.get(place), rules.get('memory')),
        ),
        'every store for several keeps the rules of the one in memory': FOR_MANY.every((place) =>
          keeps(rules.get(place), rules.get('memoryForMany')),
        ),
      },
    })
  },
}

/** What holds there: the suite's rules, and in some places a few that are special to it. */
function rulesOf(own: readonly Told[], title: string): Set<string> {
  return new Set(
    own.flatMap(({ ancestorTitles, title: rule, status }) =>
      ancestorTitles[0] === title && status === 'passed' ? [[...ancestorTitles.slice(1), rule].join(' ')] : [],
    ),
  )
}

/** A store in memory has no rules of its own, so that all it keeps is the suite. */
const keeps = (there: ReadonlySet<string> = new Set(), suite: ReadonlySet<string> = new Set()): boolean =>
  suite.size > 0 && [...suite].every((rule) => there.has(rule))

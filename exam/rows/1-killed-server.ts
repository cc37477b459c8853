import { type Killed, killAgainAndAgain } from '../load/killing.ts'
import { World } from '../load/world.ts'
import { judge, type Row, untilItsEnd } from '../row.ts'

const DEATHS = 200
/**
 * Deaths of one server's file. Each death is followed by a look through all of it, so that one file for all of them would be
 * read a hundred times at its largest.
 */
const DEATHS_OF_A_FILE = 20
/** Acknowledged messages without which so many deaths prove little. */
const ENOUGH = 100_000

export const rows: readonly Row[] = [
  {
    id: 1,
    tier: 'q',
    title: 'the server is killed under full load, ten times',
    limitMs: 30_000,
    async run(context) {
      const life = { shortest: 30, longest: 200 }
      return judge(await killAgainAndAgain(await World.open(context), context, { rounds: 10, life, window: 2 }))
    },
  },
  {
    id: 2,
    tier: 'n',
    title: 'servers are killed under full load, two hundred times',
    // Two hundred starts of a server, as many lives, and a look through the whole file after each.
    limitMs: 900_000,
    async run(context) {
      const killing = {
        rounds: DEATHS_OF_A_FILE,
        life: { shortest: 200, longest: 2_000, bias: 12 },
        window: 1,
        hard: { senders: 8, window: 16 },
      }
      const all: Killed[] = []
      // One after the other: how soon a server is ready is asked as well, and another one's load would be in the answer.
      for (let deaths = 0; deaths < DEATHS; deaths += DEATHS_OF_A_FILE) {
        all.push(
          await untilItsEnd(context, async (apart) => killAgainAndAgain(await World.open(apart), apart, killing)),
        )
      }
      const sum = (name: keyof Killed['figures']) => all.reduce((total, { figures }) => total + figures[name], 0)
      const worst = (name: keyof Killed['figures']) => Math.max(...all.map(({ figures }) => figures[name]))
      const acknowledged = sum('acknowledged')
      return judge({
        bites: all.reduce((total, { bites }) => total + bites, 0),
        findings: all.flatMap(({ findings }) => findings),
        figures: {
          acknowledged,
          intact: sum('intact'),
          levelAfterMs: worst('levelAfterMs'),
          readyMs: worst('readyMs'),
          backMs: worst('backMs'),
        },
        holds: {
          ...Object.fromEntries(
            Object.keys(all[0]!.holds).map((sentence) => [sentence, all.every(({ holds }) => holds[sentence])]),
          ),
          [`${ENOUGH} messages were acknowledged`]: acknowledged >= ENOUGH,
        },
      })
    },
  },
]

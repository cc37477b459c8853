import { killAgainAndAgain } from '../load/killing.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

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
    title: 'the server is killed under full load, as often as there is time',
    async run(context) {
      const killing = { rounds: 200, forMs: 110_000, life: { shortest: 200, longest: 2_000 }, window: 16 }
      return judge(await killAgainAndAgain(await World.open(context), context, killing))
    },
  },
]

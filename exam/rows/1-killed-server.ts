import { ending } from '../load/killing.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

/** Between two deaths; by night the server gets older now and then. */
const LIFE_MS = { shortest: 100, longest: 400 }

export const row: Row = {
  id: 1,
  tier: 'q',
  title: 'the server is killed under full load, ten times',
  limitMs: 20_000,
  async run(context) {
    const world = await World.open(context)
    const result = await ending(world, context, { rounds: 10, life: LIFE_MS })
    return judge(result)
  },
}

import { until } from '@parley/testkit'
import { hastyClock, hastyServerClock } from '../load/hasty-clock.ts'
import { minterOf } from '../load/reachable-server.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const SPEED = 30
/** No device asks again sooner than this, by its own clock. */
const PATIENCE_MS = 5_000
const BAD_ANSWERS = 2

export const row: Row = {
  id: 81,
  tier: 'q',
  title: 'the app’s token service is slow, down, answers with a page, with an old token, or with somebody else’s',
  limitMs: 15_000,
  async run(context) {
    const world = await World.openHere(context, { sessionSeconds: 180, clock: hastyServerClock(SPEED) })
    const { app, minter } = world.server
    const lateMinter = minterOf(app, { now: () => Date.now() - 3_600_000 })
    const virtual = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms / SPEED))
    type Answer = (nonce: string, userId: string) => Promise<string>
    const ailments: Record<string, Answer> = {
      slow: async (nonce, userId) => {
        await virtual(20_000)
        return minter.mint({ userId, nonce })
      },
      down: () => Promise.reject(new Error('ECONNREFUSED')),
      page: async () => '<!doctype html><title>Log in</title>',
      old: (nonce, userId) => lateMinter.mint({ userId, nonce, expiresInSeconds: 60 }),
      another: (nonce) => minter.mint({ userId: 'mallory', nonce }),
    }
    const outcomes = await Promise.all(
      Object.entries(ailments).map(async ([name, answer]) => {
        const clock = hastyClock(SPEED)
        const askedAt: number[] = []
        const failures: string[] = []
        let renewals = 0
        const device = await world.signedIn(name, {
          clock,
          challenge: ({ nonce }) => {
            askedAt.push(clock.now())
            const isBad = askedAt.length > 1 && askedAt.length <= 1 + BAD_ANSWERS
            return isBad ? answer(nonce, name) : minter.mint({ userId: name, nonce })
          },
        })
        device.client.on('challenge-failed', ({ error }) => failures.push(error.code))
        device.client.on('renewed', () => renewals++)
        const conversation = await world.conversation([device])
        await (await device.send(conversation, `${name} before`))?.acknowledged
        const connects = () => device.connections.filter((state) => state === 'connecting').length
        const before = connects()
        await until(() => renewals > 0, `the session of ${name} is renewed`)
        await (await device.send(conversation, `${name} after`))?.acknowledged
        // Within one renewal; the next one asks for a token of its own, in its own time.
        const gaps = askedAt.slice(2, 2 + failures.length).map((at, i) => at - askedAt[i + 1]!)
        return { name, failures, shortest: Math.min(...gaps), stayed: connects() === before }
      }),
    )
    const { findings, figures } = await world.examine()
    const shortestMs = Math.min(...outcomes.map(({ shortest }) => shortest))
    const told = outcomes.map(({ name, failures }) => `${name}:${[...new Set(failures)].join('+') || 'none'}`).join(' ')
    return judge({
      bites: outcomes.reduce((sum, { failures }) => sum + failures.length, 0),
      findings,
      figures: { ...figures, told, shortestMs: Math.round(shortestMs) },
      holds: {
        'each failure was told': outcomes.every(({ name, failures }) => name === 'slow' || failures.length > 0),
        'nobody asked again at once': shortestMs >= PATIENCE_MS * 0.95,
        'the connections stayed': outcomes.every(({ stayed }) => stayed),
      },
    })
  },
}

/** The app's own authentication service, which has its bad days: it fails, is slow, or gives tokens that are no good. */
import type { Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'
import { mintToken } from './tokens.ts'

export async function giveToken(
  world: Surroundings,
  tab: Tab,
  { nonce, userId }: { readonly nonce: string; readonly userId: string },
): Promise<string | null> {
  const { chance, plan, server, timeline, isCalm } = world
  const good = {
    userId,
    nonce,
    expiresAt: server.now + (plan.sessionSeconds ?? 7_200) * 1_000,
    displayName: `${userId} ${chance.below(3)}`,
  }
  await timeline.pause(chance.below(200))
  if (tab.isDead) return new Promise(() => undefined)
  if (isCalm() || chance.number() >= plan.handlerTrouble) return mintToken(good)
  switch (chance.below(6)) {
    case 0:
      throw new Error('The simulated service is down.')
    case 1:
      return '<html>Please sign in</html>'
    case 2:
      return mintToken({ ...good, expiresAt: server.now - 1_000 })
    case 3:
      return mintToken({ ...good, userId: 'somebody-else' })
    case 4:
      await timeline.pause(20_000)
      return mintToken(good)
    default:
      return chance.below(4) === 0 ? null : mintToken({ ...good, nonce: 'not-a-nonce' })
  }
}

import { openAdministration } from '@parley/server'
import { minterOf } from '../load/reachable-server.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

export const row: Row = {
  id: 85,
  tier: 'q',
  title: 'a provider’s key is rotated and disabled while sessions live',
  async run(context) {
    const world = await World.open(context)
    const { server } = world
    const device = await world.signedIn('alice')
    const conversation = await world.conversation([device])
    const administration = await openAdministration(server.dataFolder)
    context.onEnd(() => administration.close())
    const added = await administration.addKey(server.app.appId, { algorithm: 'ES256' })
    const rotated = minterOf({ ...server.app, keyId: added.keyId, privateKeyPem: added.privateKeyPem! })
    const enter = async (minter: typeof rotated) => {
      const { nonce } = (await server.request('POST', '/nonces')) as { nonce: string }
      const identity_token = await minter.mint({ userId: 'ben', nonce })
      return server.request('POST', '/sessions', { identity_token, app_id: server.app.appId }).then(
        () => 'in',
        (error: Error) => /eit_\w+/.exec(error.message)?.[0] ?? error.message,
      )
    }
    const both = [await enter(server.minter), await enter(rotated)]
    await administration.disableKey(server.app.keyId)
    const afterwards = [await enter(server.minter), await enter(rotated)]
    // Sessions that were opened with it go on until they end: who wants them ended revokes them.
    const sent = await (await device.send(conversation, 'still here'))?.acknowledged
    server.minter = rotated
    const { findings, figures } = await world.examine()
    return judge({
      bites: afterwards[0] === 'in' ? 0 : 1,
      findings,
      figures: { ...figures, oldKey: afterwards[0]!, newKey: afterwards[1]! },
      holds: {
        'before, both keys are good': both.join() === 'in,in',
        'afterwards the new key is good and the old one refused at once':
          afterwards[0]!.startsWith('eit_') && afterwards[1] === 'in',
        'the live session goes on': sent !== undefined,
      },
    })
  },
}

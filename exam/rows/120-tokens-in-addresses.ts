import { until } from '@parley/testkit'
import { WebSocket } from 'ws'
import { isolation } from '../checker/checks/isolation.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

export const row: Row = {
  id: 120,
  tier: 'q',
  title: 'no token in an address, a log or an error',
  async run(context) {
    const world = await World.open(context)
    const { server } = world
    const addresses: string[] = []
    const secrets: string[] = []
    const token = await server.signIn('alice')
    class WatchedSocket extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol)
        addresses.push(url)
        this.on('message', (data) => {
          const told = String(data).matchAll(/"(?:token|nonce)":"([^"]+)"/g)
          secrets.push(...[...told].map(([, secret]) => secret!))
        })
      }
    }
    const device = await world.signedIn('ben', {
      webSocket: WatchedSocket as never,
      fetch: (url, init) => {
        addresses.push(String(url))
        return fetch(url, init as RequestInit)
      },
      challenge: async ({ nonce }) => {
        const minted = await server.minter.mint({ userId: 'ben', nonce })
        secrets.push(minted)
        return minted
      },
    })
    const conversation = await world.conversation([device])
    await (await device.send(conversation, 'canary body 8f1c'))?.acknowledged
    secrets.push('canary body 8f1c')
    const own = [...secrets]

    // Layer's clients put theirs into the address; then there are those who make mistakes.
    const layer = new WebSocket(`${server.websocketUrl}/websocket?session_token=${token}`, 'layer-2.0')
    context.onEnd(() => layer.terminate())
    await new Promise((resolve) => layer.once('open', resolve))
    layer.send('no JSON at all')
    const errors: string[] = []
    for (const path of [`/conversations?session_token=${token}`, `/nowhere/${token}`, '/sessions']) {
      const answer = await fetch(server.url + path, {
        method: path === '/sessions' ? 'POST' : 'GET',
        headers: { 'content-type': 'application/json', accept: 'application/vnd.layer+json; version=2.0' },
        ...(path === '/sessions' && { body: JSON.stringify({ identity_token: own[0], app_id: server.app.appId }) }),
      })
      errors.push(await answer.text())
    }
    await device.client.deauthenticate()
    await until(() => device.client.state.state === 'unauthenticated', 'signed out')
    secrets.push(token)
    await server.terminate()
    const canaries = [...new Set(secrets)]
    const findings = isolation({
      operations: [],
      devices: [],
      store: [],
      members: {},
      bytes: [
        { name: 'the SDK’s addresses', text: addresses.join('\n'), canaries: [...new Set(own)] },
        { name: 'the server’s log', text: server.record.lines.join('\n'), canaries },
        { name: 'answers that are errors', text: errors.join('\n'), canaries },
      ],
    })
    return judge({
      bites: addresses.length,
      findings,
      figures: { addresses: addresses.length, canaries: canaries.length, logLines: server.record.lines.length },
      holds: { 'there were secrets to look for': canaries.length >= 4 },
    })
  },
}

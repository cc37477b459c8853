import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const ALLOWED = 'https://good.example'
const FOREIGN = [
  'https://evil.example',
  'null',
  'https://good.example.evil.example',
  'https://evilgood.example',
  'https://good.exampl',
  'https://good.example:8443',
  'http://good.example',
  'HTTPS://GOOD.EXAMPLE',
  'https://good.example/',
  'https://good.example, https://evil.example',
  '',
]

export const row: Row = {
  id: 119,
  tier: 'q',
  title: 'pages of other origins ask for a socket, with cookies',
  async run(context) {
    const world = await World.open(context, { args: ['--allow-origin', ALLOWED] })
    const { port } = world.server
    const token = await world.server.signIn('alice')
    const cookie = `session_token=${token}; parley=${token}`
    const refused = []
    for (const protocol of ['parley.1', 'layer-2.0']) {
      for (const origin of FOREIGN) refused.push([origin, await upgrade(port, protocol, { origin, cookie })])
    }
    const allowed = await upgrade(port, 'parley.1', { origin: ALLOWED })
    const none = await upgrade(port, 'parley.1', {})
    // Somebody who sends only the cookie is nobody.
    const layerByCookie = await upgrade(port, 'layer-2.0', { origin: ALLOWED, cookie })
    const http = await fetch(`${world.server.url}/conversations`, {
      headers: { accept: 'application/vnd.layer+json; version=2.0', cookie },
    })
    const letIn = refused.filter(([, status]) => status !== 403).map(([origin, status]) => `${origin}:${status}`)
    return judge({
      bites: refused.length,
      figures: { refused: refused.length - letIn.length, letIn: letIn.join(' ') || 'none', none, allowed },
      holds: {
        'every foreign origin is refused before the upgrade': letIn.length === 0,
        'the allowed one gets in': allowed === 101,
        'a cookie opens nothing': layerByCookie === 401 && http.status === 401,
      },
    })
  },
}

/** The status that a request for a socket is answered with. */
function upgrade(port: number, protocol: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      port,
      host: '127.0.0.1',
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        'sec-websocket-protocol': protocol,
        ...headers,
      },
    })
    asked.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve(101)
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** A server behind a wire that can be cut, two people with Layer's SDK, and one who speaks our own protocol. */
import { type AddressInfo, createServer } from 'node:net'
import { startTcpProxy, type TcpProxy } from '@parley/testkit'
import { Person, startTestServer, type TestServer } from '../../support.ts'
import type { SdkHost, SdkHostOptions } from './sdk-host.ts'

export type OpenSdk = (options: SdkHostOptions) => Promise<SdkHost>

export interface Stage {
  readonly home: TestServer
  /** Everybody with an SDK comes through here. */
  readonly wire: TcpProxy
  readonly ada: SdkHost
  readonly ben: SdkHost
  /** Speaks our own protocol, and not over the wire that is cut. */
  readonly cleo: Person
  close(): Promise<void>
}

export async function setStage(open: OpenSdk): Promise<Stage> {
  const port = await freePort()
  const wire = await startTcpProxy({ target: { port } })
  const publicUrl = `http://127.0.0.1:${wire.port}`
  const home = await startTestServer({ behind: { port, publicUrl } })
  const sdk = (userId: string) =>
    open({
      url: publicUrl,
      websocketUrl: publicUrl.replace('http', 'ws'),
      appId: home.app.appId,
      identityToken: (nonce) => home.minter.mint({ userId, nonce, claims: { display_name: userId.toUpperCase() } }),
    })
  const [ada, ben] = await Promise.all([sdk('ada'), sdk('ben')])
  const direct = { ...home.server, websocketUrl: `ws://127.0.0.1:${port}` }
  const cleo = await Person.connect(direct, await home.signIn('c.leo', { claims: { display_name: 'Cleo' } }))
  return {
    ...{ home, wire, ada, ben, cleo },
    async close() {
      cleo.close()
      await Promise.all([ada.close(), ben.close()])
      await home.close()
      await wire.close()
    },
  }
}

/** A port nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

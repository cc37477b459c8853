import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { guardedFetchKeySet, isPublicAddress } from './fetch-key-set.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server of this machine; answers its address. */
async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer as never)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('117 addresses a customer may name', () => {
  it.each([
    ...['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.15.255.255', '172.32.0.1', '192.167.255.255', '223.255.255.255'],
    ...['2606:4700:4700::1111', '2a00:1450:4001::200e', '2400:cb00::1'],
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.9.9.9'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.168.1.1', '192.88.99.1'],
    ...['198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.7', '224.0.0.1', '239.1.1.1', '240.0.0.1'],
    ...['255.255.255.255', '::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8'],
    ...['::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::a00:1', '64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1'],
    ...['2002:7f00:1::', '2002:c0a8:101::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'fe80::1%1'],
    ...['febf::1', 'fec0::1', 'ff02::1', 'ff0e::1', '::1%lo', '2606:4700:4700::1111%eth0'],
    ...['', 'localhost', 'example.com', '127.1', '0x7f.1', '2130706433', '010.0.0.1', '[::1]'],
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe('117 AUTH-21 fetching a key set', () => {
  it.each([
    ...['https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/', 'https://0177.0.0.1/', 'https://127.1/'],
    ...['https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://[64:ff9b::7f00:1]/', 'https://localhost/'],
    ...['https://169.254.169.254/latest/meta-data', 'https://10.0.0.1/', 'https://[fd00::1]/', 'https://0/'],
  ])('%s is inside and not asked', async (url) => {
    await expect(guardedFetchKeySet(false)(url, 1000)).rejects.toThrow('This address is not allowed.')
  })

  it.each(['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd', 'data:application/json,{}'])(
    '%s is no HTTPS and not asked',
    async (url) => {
      await expect(guardedFetchKeySet(false)(url, 1000)).rejects.toThrow('HTTPS')
    },
  )

  it('in development this machine may be asked', async () => {
    const url = await serve((_request, response) => response.end('{"keys":[]}'))
    expect(await guardedFetchKeySet(true)(url, 1000)).toBe('{"keys":[]}')
    await expect(guardedFetchKeySet(false)(url, 1000)).rejects.toThrow()
  })

  it.each([301, 302, 303, 307, 308])('a redirect with %i is not followed', async (status) => {
    let asked = 0
    const inside = await serve((_request, response) => {
      asked++
      response.end('{"keys":[]}')
    })
    const url = await serve((_request, response) => response.writeHead(status, { location: inside }).end())
    await expect(guardedFetchKeySet(true)(url, 1000)).rejects.toThrow()
    expect(asked).toBe(0)
  })

  it.each([204, 400, 404, 500])('an answer of %i is no key set', async (status) => {
    const url = await serve((_request, response) => response.writeHead(status).end(status === 204 ? '' : '{"keys":[]}'))
    await expect(guardedFetchKeySet(true)(url, 1000)).rejects.toThrow()
  })

  it('10 MB are given up as soon as they are too many', async () => {
    let written = 0
    const url = await serve((_request, response) => {
      const pour = () => {
        while (written < 10_000_000) {
          written += 65_536
          if (!response.write(Buffer.alloc(65_536, 32))) {
            response.once('drain', pour)
            return
          }
        }
        response.end()
      }
      response.on('error', () => undefined)
      pour()
    })
    await expect(guardedFetchKeySet(true)(url, 262_144)).rejects.toThrow('too large')
    expect(written).toBeLessThan(10_000_000)
  })

  it('an address that trickles is given up after five seconds', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200)
      response.write('{')
    })
    const start = performance.now()
    await expect(guardedFetchKeySet(true)(url, 262_144)).rejects.toThrow()
    expect(performance.now() - start).toBeLessThan(8_000)
  })
})

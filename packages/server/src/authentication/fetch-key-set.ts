import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { Agent, fetch } from 'undici'
import type { FetchKeySet } from './key-sets.ts'

const TIMEOUT_MS = 5_000

/** Addresses that are not the public internet: a provider's keys are never there. */
const inside = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  inside.addSubnet(net, bits, 'ipv4')
}
for (const [net, bits] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  inside.addSubnet(net, bits, 'ipv6')
}

/** Whether an IP address may be called when a customer names it. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && !inside.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Fetches a JWK set from an address a customer registered: HTTPS to the public internet, no redirects, the checked
 * address and no other, bounded in time and size.
 * @param allowLocal for development: plain HTTP and addresses of this machine, too
 */
export function guardedFetchKeySet(allowLocal: boolean): FetchKeySet {
  return async (url, maxBytes) => {
    const { protocol, hostname } = new URL(url)
    if (protocol !== 'https:' && !(allowLocal && protocol === 'http:'))
      throw new Error('Key sets are fetched by HTTPS.')
    const host = hostname.replace(/^\[|\]$/g, '')
    const { address, family } = await lookup(host)
    if (!allowLocal && !isPublicAddress(address)) throw new Error('This address is not allowed.')
    const dispatcher = new Agent({
      connect: {
        lookup: (_host, options, callback) =>
          options.all ? callback(null, [{ address, family }]) : callback(null, address, family),
      },
    })
    try {
      const response = await fetch(url, { dispatcher, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
      if (!response.ok || !response.body) throw new Error(`The address answered ${response.status}.`)
      const chunks: Uint8Array[] = []
      let bytes = 0
      for await (const chunk of response.body) {
        bytes += (chunk as Uint8Array).length
        if (bytes > maxBytes) throw new Error('The key set is too large.')
        chunks.push(chunk as Uint8Array)
      }
      return Buffer.concat(chunks).toString('utf8')
    } finally {
      void dispatcher.destroy()
    }
  }
}

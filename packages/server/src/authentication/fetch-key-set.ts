import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { Agent, fetch } from 'undici'
import type { FetchKeySet } from './key-sets.ts'

const TIMEOUT_MS = 5_000

/**
 * Addresses that are not the public internet: a provider's keys are never there. One list per family: in a common one,
 * the block of mapped addresses would take all of IPv4 with it.
 */
const inside = { ipv4: new BlockList(), ipv6: new BlockList() }
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  inside.ipv4.addSubnet(net, bits, 'ipv4')
}
// Also those that carry an IPv4 address inside, wherever a gateway may take them: mapped, translated, 6to4, Teredo.
for (const [net, bits] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const) {
  inside.ipv6.addSubnet(net, bits, 'ipv6')
}

/** Whether an IP address may be called when a customer names it. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  // An address with a zone is one of this machine's own links.
  if (family === 0 || address.includes('%')) return false
  const name = family === 4 ? 'ipv4' : 'ipv6'
  return !inside[name].check(address, name)
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

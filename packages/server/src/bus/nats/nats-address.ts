import type { NodeConnectionOptions } from '@nats-io/transport-node'

export interface NatsAddress {
  /** `host:port`, each a server of one cluster. */
  readonly servers: readonly string[]
  readonly credentials: Pick<NodeConnectionOptions, 'user' | 'pass' | 'token'>
  readonly isEncrypted: boolean
}

/**
 * Reads `nats://host:4222,other:4222`, with `user:password@` or `token@` before the first host, and `tls://` where the
 * connection must be encrypted.
 * @throws if it is none, in a sentence without the password
 */
export function readNatsAddress(text: string): NatsAddress {
  const found = /^(nats|tls):\/\/(?:([^@/]*)@)?([^@/?#]+)\/?$/.exec(text.trim())
  const [, scheme, credentials, hosts = ''] = found ?? []
  const servers = hosts.split(',').map((host) => host.trim())
  if (!found || !servers.every(isServer)) {
    throw new Error('The address of the bus looks like nats://host:4222, with more hosts after commas.')
  }
  return { servers: servers.map(withPort), credentials: readCredentials(credentials), isEncrypted: scheme === 'tls' }
}

const isServer = (host: string) => /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host)

const withPort = (host: string) => (/:\d+$/.test(host) ? host : `${host}:4222`)

function readCredentials(text: string | undefined): NatsAddress['credentials'] {
  if (!text) return {}
  const colon = text.indexOf(':')
  if (colon < 0) return { token: decodeURIComponent(text) }
  return { user: decodeURIComponent(text.slice(0, colon)), pass: decodeURIComponent(text.slice(colon + 1)) }
}

import { type Command, Option } from 'commander'
import { dataOption, jsonOption } from '../options.ts'
import { columns, jsonLine } from '../printable.ts'
import type { Surroundings } from '../surroundings.ts'
import { withAdministration } from './with-administration.ts'

interface AddOptions {
  readonly data: string
  readonly publicKey?: string
  readonly algorithm?: 'RS256' | 'ES256' | 'EdDSA'
  readonly json?: boolean
}

export function addKeys(program: Command, surroundings: Surroundings): void {
  const keys = program.command('keys').description('keys that an authentication service signs with')
  keys
    .command('add')
    .description("add a key to an app's provider: a public key of yours, or a new pair")
    .argument('<app id>')
    .addOption(dataOption())
    .option('--public-key <file>', 'public key in PEM; without it, a new pair is made')
    .addOption(new Option('--algorithm <name>', 'algorithm of a new pair').choices(['RS256', 'ES256', 'EdDSA']))
    .addOption(jsonOption())
    .action((appId: string, options: AddOptions) => addKey(appId, options, surroundings))
  keys
    .command('disable')
    .description('disable a key at once: no token signed with it is accepted any more')
    .argument('<key id>')
    .addOption(dataOption())
    .action((keyId: string, options: { data: string }) => disableKey(keyId, options.data, surroundings))
}

async function addKey(appId: string, options: AddOptions, surroundings: Surroundings): Promise<void> {
  const { data, publicKey, algorithm, json } = options
  const pem = publicKey === undefined ? undefined : await surroundings.readText(publicKey)
  const key = await withAdministration(data, surroundings, (administration) =>
    administration.addKey(appId, { ...(pem !== undefined && { publicKey: pem }), ...(algorithm && { algorithm }) }),
  )
  if (json) return surroundings.print(jsonLine(key))
  surroundings.print(columns([['Key id', key.keyId]]))
  if (!key.privateKeyPem) return
  surroundings.print(
    '\nThis private key is shown only now. It belongs to your authentication service and nobody else.\n',
  )
  surroundings.print(key.privateKeyPem.trimEnd())
}

async function disableKey(keyId: string, data: string, surroundings: Surroundings): Promise<void> {
  await withAdministration(data, surroundings, (administration) => administration.disableKey(keyId))
  surroundings.print('The key is disabled.')
}

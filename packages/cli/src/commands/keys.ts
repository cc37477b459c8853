import { type Command, Option } from 'commander'
import { dataOption, jsonOption, type PlaceOptions, storeOption } from '../options.ts'
import { columns, jsonLine } from '../printable.ts'
import type { Surroundings } from '../surroundings.ts'
import { withAdministration } from './with-administration.ts'

interface AddOptions extends PlaceOptions {
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
    .addOption(storeOption())
    .option('--public-key <file>', 'public key in PEM; without it, a new pair is made')
    .addOption(new Option('--algorithm <name>', 'algorithm of a new pair').choices(['RS256', 'ES256', 'EdDSA']))
    .addOption(jsonOption())
    .action((appId: string, options: AddOptions) => addKey(appId, options, surroundings))
  keys
    .command('disable')
    .description('disable a key at once: no token signed with it is accepted any more')
    .argument('<key id>')
    .addOption(dataOption())
    .addOption(storeOption())
    .action((keyId: string, options: PlaceOptions) => disableKey(keyId, options, surroundings))
}

async function addKey(appId: string, options: AddOptions, surroundings: Surroundings): Promise<void> {
  const { publicKey, algorithm, json } = options
  const pem = publicKey === undefined ? undefined : await surroundings.readText(publicKey)
  const key = await withAdministration(options, surroundings, (administration) =>
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

async function disableKey(keyId: string, place: PlaceOptions, surroundings: Surroundings): Promise<void> {
  await withAdministration(place, surroundings, (administration) => administration.disableKey(keyId))
  surroundings.print('The key is disabled.')
}

import { type Command, Option } from 'commander'
import { dataOption, jsonOption } from '../options.ts'
import { columns, jsonLine, printable } from '../printable.ts'
import type { Surroundings } from '../surroundings.ts'
import { withAdministration } from './with-administration.ts'

interface CreateOptions {
  readonly data: string
  readonly name?: string
  readonly environment: 'staging' | 'production'
  readonly algorithm: 'RS256' | 'ES256' | 'EdDSA'
  readonly sessionSeconds?: number
  readonly json?: boolean
}

interface ListOptions {
  readonly data: string
  readonly json?: boolean
}

export function addApps(program: Command, surroundings: Surroundings): void {
  const apps = program.command('apps').description('apps that this server keeps')
  apps
    .command('create')
    .description('create an app with a provider and a key for its authentication service')
    .addOption(dataOption())
    .option('--name <name>', 'a name for people')
    .addOption(new Option('--environment <kind>', 'kind of app').choices(['staging', 'production']).default('staging'))
    .addOption(
      new Option('--algorithm <name>', 'algorithm of its key').choices(['RS256', 'ES256', 'EdDSA']).default('RS256'),
    )
    .addOption(
      new Option(
        '--session-seconds <number>',
        'how long sessions last (default: as long as the identity token)',
      ).argParser(Number),
    )
    .addOption(jsonOption())
    .action((options: CreateOptions) => createApp(options, surroundings))
  apps
    .command('list')
    .description('list all apps')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((options: ListOptions) => listApps(options, surroundings))
}

async function createApp(options: CreateOptions, surroundings: Surroundings): Promise<void> {
  const { data, name, environment, algorithm, sessionSeconds, json } = options
  const app = await withAdministration(data, surroundings, (administration) =>
    administration.createApp({
      environment,
      algorithm,
      ...(name !== undefined && { name }),
      ...(sessionSeconds !== undefined && { sessionSeconds }),
    }),
  )
  if (json) return surroundings.print(jsonLine(app))
  const facts = [
    ['App id', app.appId],
    ['Provider id', app.providerId],
    ['Key id', app.keyId],
  ]
  surroundings.print(`Created the app ${printable(app.name)} (${environment}).\n`)
  surroundings.print(`${columns(facts)}\n`)
  surroundings.print('This private key is shown only now. It belongs to your authentication service and nobody else.\n')
  surroundings.print(app.privateKeyPem.trimEnd())
}

async function listApps({ data, json }: ListOptions, surroundings: Surroundings): Promise<void> {
  const apps = await withAdministration(data, surroundings, (administration) => administration.listApps())
  if (json) return surroundings.print(jsonLine(apps))
  if (apps.length === 0) return surroundings.print('There is no app yet. Create one: parley apps create')
  surroundings.print(
    columns([['APP ID', 'CREATED', 'NAME'], ...apps.map(({ appId, createdAt, name }) => [appId, createdAt, name])]),
  )
}

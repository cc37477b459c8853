import { type Command, Option } from 'commander'
import { dataOption, jsonOption, type PlaceOptions, storeOption } from '../options.ts'
import { columns, jsonLine, printable } from '../printable.ts'
import type { Surroundings } from '../surroundings.ts'
import { withAdministration } from './with-administration.ts'

interface CreateOptions extends PlaceOptions {
  readonly name?: string
  readonly environment: 'staging' | 'production'
  readonly algorithm: 'RS256' | 'ES256' | 'EdDSA'
  readonly sessionSeconds?: number
  readonly json?: boolean
}

interface ListOptions extends PlaceOptions {
  readonly json?: boolean
}

export function addApps(program: Command, surroundings: Surroundings): void {
  const apps = program.command('apps').alias('app').description('apps that this server keeps')
  apps
    .command('create')
    .description('create an app with a provider and a key for its authentication service')
    .addOption(dataOption())
    .addOption(storeOption())
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
    .addOption(storeOption())
    .addOption(jsonOption())
    .action((options: ListOptions) => listApps(options, surroundings))
  const ofApp = (name: string, description: string) =>
    apps.command(name).description(description).argument('<app id>').addOption(dataOption()).addOption(storeOption())
  ofApp('suspend', 'end all sessions of an app and let nobody in, until it is resumed').action(
    (appId: string, place: PlaceOptions) => suspendApp(appId, place, surroundings),
  )
  ofApp('resume', 'let people in again').action((appId: string, place: PlaceOptions) =>
    resumeApp(appId, place, surroundings),
  )
  ofApp('origins', 'say whose pages may connect to an app: the origins named, or any if none is')
    .argument('[origin...]')
    .action((appId: string, origins: readonly string[], place: PlaceOptions) =>
      allowOrigins(appId, origins, place, surroundings),
    )
}

async function suspendApp(appId: string, place: PlaceOptions, surroundings: Surroundings): Promise<void> {
  const count = await withAdministration(place, surroundings, (administration) => administration.suspendApp(appId))
  surroundings.print(`The app is suspended; ${count} live session${count === 1 ? '' : 's'} ended.`)
}

async function resumeApp(appId: string, place: PlaceOptions, surroundings: Surroundings): Promise<void> {
  await withAdministration(place, surroundings, (administration) => administration.resumeApp(appId))
  surroundings.print('The app is open again.')
}

async function allowOrigins(
  appId: string,
  origins: readonly string[],
  place: PlaceOptions,
  surroundings: Surroundings,
): Promise<void> {
  const allowed = origins.length > 0 ? origins : null
  await withAdministration(place, surroundings, (administration) => administration.allowOrigins(appId, allowed))
  const whose = allowed ? allowed.map(printable).join(', ') : 'any origin'
  surroundings.print(`Pages of ${whose} may connect.`)
}

async function createApp(options: CreateOptions, surroundings: Surroundings): Promise<void> {
  const { name, environment, algorithm, sessionSeconds, json } = options
  const app = await withAdministration(options, surroundings, (administration) =>
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

async function listApps(options: ListOptions, surroundings: Surroundings): Promise<void> {
  const apps = await withAdministration(options, surroundings, (administration) => administration.listApps())
  if (options.json) return surroundings.print(jsonLine(apps))
  if (apps.length === 0) return surroundings.print('There is no app yet. Create one: parley apps create')
  surroundings.print(
    columns([['APP ID', 'CREATED', 'NAME'], ...apps.map(({ appId, createdAt, name }) => [appId, createdAt, name])]),
  )
}

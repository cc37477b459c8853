import { formatReport } from '@parley/token/conformance'
import { type Command, InvalidArgumentError } from 'commander'
import { collect, jsonOption } from '../options.ts'
import { jsonLine, printable } from '../printable.ts'
import { Obstacle, type Surroundings } from '../surroundings.ts'

interface CheckOptions {
  readonly provider: string
  readonly key: readonly string[]
  readonly credentials: Record<string, unknown>
  readonly user?: string
  readonly json?: boolean
}

export function addCheckAuth(program: Command, surroundings: Surroundings): void {
  program
    .command('check-auth')
    .description('check an authentication service: asks it for tokens and tells what is wrong with them')
    .argument('<url>', 'address that answers a nonce with an identity token')
    .requiredOption('--provider <id>', 'provider id of the app')
    .requiredOption('--key <id=file>', 'key id and the file of its public key in PEM; repeatable', collect)
    .requiredOption(
      '--credentials <json>',
      'what to log in with: \'{"user":"alice","password":"parley"}\'',
      parseObject,
    )
    .option('--user <id>', 'user id the token has to name (default: the "user" of the credentials)')
    .addOption(jsonOption())
    .action((url: string, options: CheckOptions) => checkAuth(url, options, surroundings))
}

async function checkAuth(url: string, options: CheckOptions, surroundings: Surroundings): Promise<void> {
  if (!URL.canParse(url))
    throw new Obstacle(`${url} is not an address. It has to look like https://app.example/identity-token`)
  const { provider: providerId, credentials, user = credentials.user } = options
  if (typeof user !== 'string') throw new Obstacle('--user has to say whose token these credentials get.')
  const report = await surroundings.checkAuthService({
    url,
    providerId,
    publicKeys: await Promise.all(options.key.map((key) => readKey(key, surroundings))),
    credentials,
    expectedUserId: user,
  })
  if (options.json) surroundings.print(jsonLine(report))
  else for (const line of formatReport(report)) surroundings.print(printable(line))
  if (!report.ok) throw new Obstacle('This authentication service is not right yet.')
}

async function readKey(text: string, { readText }: Surroundings) {
  const [keyId, file] = text.split(/=(.*)/s)
  if (!keyId || !file) throw new Obstacle(`--key ${text} has to look like layer:///keys/…=public.pem`)
  return { keyId, publicKey: await readText(file) }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new InvalidArgumentError('It has to be a JSON object.')
}

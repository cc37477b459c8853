import type { Command } from 'commander'
import { dataOption, type PlaceOptions, storeOption } from '../options.ts'
import { printable } from '../printable.ts'
import type { Surroundings } from '../surroundings.ts'
import { withAdministration } from './with-administration.ts'

export function addSessions(program: Command, surroundings: Surroundings): void {
  const sessions = program.command('sessions').description('sign-ins of people on their devices')
  sessions
    .command('revoke')
    .description('end all sessions of a person at once, on every device')
    .argument('<app id>')
    .argument('<user id>')
    .addOption(dataOption())
    .addOption(storeOption())
    .action((appId: string, userId: string, options: PlaceOptions) => revoke(appId, userId, options, surroundings))
}

async function revoke(appId: string, userId: string, place: PlaceOptions, surroundings: Surroundings): Promise<void> {
  const count = await withAdministration(place, surroundings, (administration) =>
    administration.revokeSessions(appId, userId),
  )
  surroundings.print(`${printable(userId)} had ${count} live session${count === 1 ? '' : 's'}, now revoked.`)
}

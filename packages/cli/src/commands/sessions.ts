import type { Command } from 'commander'
import { dataOption } from '../options.ts'
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
    .action((appId: string, userId: string, { data }: { data: string }) => revoke(appId, userId, data, surroundings))
}

async function revoke(appId: string, userId: string, data: string, surroundings: Surroundings): Promise<void> {
  const count = await withAdministration(data, surroundings, (administration) =>
    administration.revokeSessions(appId, userId),
  )
  surroundings.print(`${printable(userId)} had ${count} live session${count === 1 ? '' : 's'}, now revoked.`)
}

import type { Command } from 'commander'
import { dataOption, type PlaceOptions, storeOption } from '../options.ts'
import { printable } from '../printable.ts'
import type { Surroundings } from '../surroundings.ts'
import { withAdministration } from './with-administration.ts'

export function addUsers(program: Command, surroundings: Surroundings): void {
  const users = program.command('users').alias('user').description('people of an app')
  const ofUser = (name: string, description: string) =>
    users
      .command(name)
      .description(description)
      .argument('<app id>')
      .argument('<user id>')
      .addOption(dataOption())
      .addOption(storeOption())
  ofUser('suspend', 'end all sessions of a person and let them in no more, until they are resumed').action(
    (appId: string, userId: string, place: PlaceOptions) => suspend(appId, userId, place, surroundings),
  )
  ofUser('resume', 'let a person in again').action((appId: string, userId: string, place: PlaceOptions) =>
    resume(appId, userId, place, surroundings),
  )
}

async function suspend(appId: string, userId: string, place: PlaceOptions, surroundings: Surroundings): Promise<void> {
  const count = await withAdministration(place, surroundings, (administration) =>
    administration.suspendUser(appId, userId),
  )
  surroundings.print(`${printable(userId)} is suspended; ${count} live session${count === 1 ? '' : 's'} ended.`)
}

async function resume(appId: string, userId: string, place: PlaceOptions, surroundings: Surroundings): Promise<void> {
  await withAdministration(place, surroundings, (administration) => administration.resumeUser(appId, userId))
  surroundings.print(`${printable(userId)} may come back.`)
}

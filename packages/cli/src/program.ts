import { Command } from 'commander'
import { addApps } from './commands/apps.ts'
import { addCheckAuth } from './commands/check-auth.ts'
import { addKeys } from './commands/keys.ts'
import { addMigrateStore } from './commands/migrate-store.ts'
import { addServe } from './commands/serve.ts'
import { addSessions } from './commands/sessions.ts'
import { addUsers } from './commands/users.ts'
import type { Surroundings } from './surroundings.ts'

/** The command line: what can be said. What is done lies in `commands/`, one file per noun. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('parley')
    .description('Self-hosted in-app messaging')
    .helpCommand(false)
    .showHelpAfterError('Add --help to see what can be said.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.print(text.trimEnd()),
      writeErr: (text) => surroundings.complain(text.trimEnd()),
    })
  for (const add of [addServe, addApps, addKeys, addSessions, addUsers, addCheckAuth, addMigrateStore])
    add(program, surroundings)
  return program
}

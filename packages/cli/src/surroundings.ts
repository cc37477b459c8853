import type { abandonMigration, migrateStore, openAdministration, startServer } from '@parley/server'
import type { checkAuthService } from '@parley/token/conformance'

/** Everything a command reaches outside of itself, so that tests can stand in for it. */
export interface Surroundings {
  /** One line on the standard output; the answer to what was asked. */
  print(line: string): void
  /** One line on the error output; everything else. */
  complain(line: string): void
  readonly startServer: typeof startServer
  readonly openAdministration: typeof openAdministration
  readonly migrateStore: typeof migrateStore
  readonly abandonMigration: typeof abandonMigration
  readonly checkAuthService: typeof checkAuthService
  /** What a module exports, named as in an import or by its path from here. */
  loadModule(name: string): Promise<unknown>
  readText(file: string): Promise<string>
  /** Resolves when somebody asks the program to stop. */
  untilStopped(): Promise<void>
}

/** What a person did wrong or the world refused: told in one sentence, without a stack. */
export class Obstacle extends Error {}

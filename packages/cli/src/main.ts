import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { abandonMigration, migrateStore, openAdministration, startServer } from '@parley/server'
import { checkAuthService } from '@parley/token/conformance'
import { run } from './run.ts'
import { Obstacle } from './surroundings.ts'

/** The real surroundings. Whoever closes the pipe we print to has heard enough. */
process.stdout.on('error', () => process.exit(0))

process.exitCode = await run(process.argv.slice(2), {
  startServer,
  openAdministration,
  migrateStore,
  abandonMigration,
  checkAuthService,
  print: (line) => void process.stdout.write(`${line}\n`),
  complain: (line) => void process.stderr.write(`${line}\n`),
  loadModule: (name) =>
    import(/^[./]|\.[cm]?js$/.test(name) ? pathToFileURL(resolve(name)).href : name).catch((cause: Error) => {
      throw new Obstacle(`${name} cannot be loaded: ${cause.message}`, { cause })
    }),
  readText: (file) =>
    readFile(file, 'utf8').catch((cause) => {
      throw new Obstacle(`${file} cannot be read.`, { cause })
    }),
  untilStopped: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    }),
})

// What still holds the process is waited for, but not for ever: whoever restarts a server that failed wants it to end.
setTimeout(() => process.exit(), 5_000).unref()

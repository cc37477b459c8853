import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { mustRun, runProgram, StepFailure } from '../run-step.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** The packages that the lock asks for on every platform, by folder. */
function lockedPackages() {
  const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'))
  return Object.entries(lock.packages).filter(
    ([folder, entry]) => folder.includes('node_modules/') && !entry.link && !entry.optional && !entry.peer,
  )
}

/** npm's own record of what it installed. It is the last thing npm writes; an interrupted install has none. */
const record = `${root}node_modules/.package-lock.json`

/** Whether there are packages at all. */
export const hasPackages = () => existsSync(record)

/** Whether they are those of the lock. */
export function isInstalled() {
  if (!hasPackages()) return false
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages
  return lockedPackages().every(([folder, entry]) => installed[folder]?.version === entry.version)
}

/** @type {import('../run-step.mjs').Step} */
export const installPackages = {
  name: 'install packages (npm ci)',
  async run({ note }) {
    const folders = lockedPackages().map(([folder]) => `${root}${folder}/package.json`)
    const timer = setInterval(() => {
      const present = folders.filter((file) => existsSync(file)).length
      note(present < folders.length ? `${present} of ${folders.length} packages` : 'compiling SQLite, the longest part')
    }, 1_000)
    try {
      await mustRun(npm, ['ci', '--no-audit', '--no-fund'], { cwd: root })
    } catch (error) {
      const report = error instanceof Error ? error.message : error
      throw new StepFailure(`${report}\n\nnpm could not install the packages. Is the package registry reachable?`)
    } finally {
      clearInterval(timer)
    }
  },
}

/** As `packages/sqlite` chooses, whose build may not be there yet. */
const sqlitePackage = Number(process.versions.napi) >= 10 ? 'better-sqlite3-13' : 'better-sqlite3'

/** Native code may be compiled for one major version of Node; after a change of Node it has to be compiled again. */
export async function isSqliteUsable() {
  const attempt = `new (require('${sqlitePackage}'))(':memory:').close()`
  return (await runProgram(process.execPath, ['-e', attempt], { cwd: root })).exitCode === 0
}

/** @type {import('../run-step.mjs').Step} */
export const recompileSqlite = {
  name: `compile SQLite for Node ${process.versions.node}`,
  run: async () => void (await mustRun(npm, ['rebuild', sqlitePackage], { cwd: root })),
}

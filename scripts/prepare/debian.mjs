import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { mustRun, StepFailure } from '../run-step.mjs'

/** @param {string} path */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * A program to test with: the one that a variable of the environment names, else one in a usual place.
 *
 * @param {string} variable @param {readonly string[]} usualPlaces @param {string} advice what to do if it names none
 */
export function findProgram(variable, usualPlaces, advice) {
  const chosen = process.env[variable]
  if (!chosen) return usualPlaces.find(isProgram)
  if (!isProgram(chosen)) throw new StepFailure(`${variable} names ${chosen}, which is not a program. ${advice}`)
  return chosen
}

/** @param {string} advice what to do if this is no Debian, or we may not install */
export function assertMayInstall(advice) {
  if (process.getuid?.() !== 0 || !isProgram('/usr/bin/apt-get')) throw new StepFailure(advice)
}

/**
 * Installs Debian's packages, if this is a Debian and we may; otherwise fails with a sentence that says what to do.
 *
 * @param {readonly string[]} packages @param {string} advice
 * @param {import('../run-step.mjs').StepContext} step
 */
export async function installFromDebian(packages, advice, { note }) {
  assertMayInstall(advice)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  note('refreshing the list of Debian packages')
  await mustRun('apt-get', ['update', '-q'], { env })
  note(`installing ${packages.join(', ')}`)
  await withoutServices(() =>
    mustRun('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { env }),
  )
}

/** What Debian's packages ask before they start a service: 101 says no. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d'

/**
 * A proxy or a database that is there to be tested with is not to be started by the way.
 *
 * @param {() => Promise<unknown>} install
 */
async function withoutServices(install) {
  if (existsSync(SERVICE_POLICY)) return install()
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return await install()
  } finally {
    rmSync(SERVICE_POLICY, { force: true })
  }
}

import { accessSync, constants } from 'node:fs'
import { mustRun, StepFailure } from '../run-step.mjs'

const usualPlaces = ['/usr/sbin/nats-server', '/usr/bin/nats-server', '/usr/local/bin/nats-server']

const advice =
  'Install NATS (Debian, Ubuntu: apt-get install nats-server) or set NATS_SERVER to the path of a nats-server.'

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The NATS server to test with: $NATS_SERVER if it is set, else one in a usual place. */
export function findNatsServer() {
  const chosen = process.env.NATS_SERVER
  if (!chosen) return usualPlaces.find(isProgram)
  if (!isProgram(chosen)) throw new StepFailure(`NATS_SERVER names ${chosen}, which is not a program. ${advice}`)
  return chosen
}

/** @type {import('../run-step.mjs').Step} */
export const provideNatsServer = {
  name: 'find the NATS server',
  async run({ note }) {
    const found = findNatsServer()
    if (found) return found
    if (process.getuid?.() !== 0 || !isProgram('/usr/bin/apt-get')) throw new StepFailure(`No NATS found. ${advice}`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    note('refreshing the list of Debian packages')
    await mustRun('apt-get', ['update', '-q'], { env })
    note('installing the Debian package')
    await mustRun('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'nats-server'], { env })
    const installed = findNatsServer()
    if (!installed) throw new StepFailure(`The Debian package brought no server. ${advice}`)
    return installed
  },
}

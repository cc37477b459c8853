import { StepFailure } from '../run-step.mjs'
import { findProgram, installFromDebian } from './debian.mjs'

const usualPlaces = ['/usr/sbin/nats-server', '/usr/bin/nats-server', '/usr/local/bin/nats-server']

const advice =
  'Install NATS (Debian, Ubuntu: apt-get install nats-server) or set NATS_SERVER to the path of a nats-server.'

/** The NATS server to test with: $NATS_SERVER if it is set, else one in a usual place. */
export const findNatsServer = () => findProgram('NATS_SERVER', usualPlaces, advice)

/** @type {import('../run-step.mjs').Step} */
export const provideNatsServer = {
  name: 'find the NATS server',
  async run(step) {
    const found = findNatsServer()
    if (found) return found
    await installFromDebian(['nats-server'], `No NATS found. ${advice}`, step)
    const installed = findNatsServer()
    if (!installed) throw new StepFailure(`The Debian package brought no server. ${advice}`)
    return installed
  },
}

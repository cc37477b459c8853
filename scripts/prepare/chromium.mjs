import { accessSync, constants } from 'node:fs'
import { mustRun, StepFailure } from '../run-step.mjs'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

const advice = 'Install Chromium (Debian, Ubuntu: apt-get install chromium) or set CHROMIUM to the path of one.'

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The browser to test with: $CHROMIUM if it is set, else one in a usual place. */
export function findChromium() {
  const chosen = process.env.CHROMIUM
  if (!chosen) return usualPlaces.find(isProgram)
  if (!isProgram(chosen)) throw new StepFailure(`CHROMIUM names ${chosen}, which is not a program. ${advice}`)
  return chosen
}

/** @type {import('../run-step.mjs').Step} */
export const provideChromium = {
  name: 'find Chromium',
  async run({ note }) {
    const found = findChromium()
    if (found) return found
    if (process.getuid?.() !== 0 || !isProgram('/usr/bin/apt-get'))
      throw new StepFailure(`No Chromium found. ${advice}`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    note('refreshing the list of Debian packages')
    await mustRun('apt-get', ['update', '-q'], { env })
    note('installing the Debian package')
    await mustRun('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium', 'fonts-liberation'], {
      env,
    })
    const installed = findChromium()
    if (!installed) throw new StepFailure(`The Debian package brought no browser. ${advice}`)
    return installed
  },
}

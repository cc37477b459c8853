import { StepFailure } from '../run-step.mjs'
import { findProgram, installFromDebian } from './debian.mjs'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

const advice = 'Install Chromium (Debian, Ubuntu: apt-get install chromium) or set CHROMIUM to the path of one.'

/** The browser to test with: $CHROMIUM if it is set, else one in a usual place. */
export const findChromium = () => findProgram('CHROMIUM', usualPlaces, advice)

/** @type {import('../run-step.mjs').Step} */
export const provideChromium = {
  name: 'find Chromium',
  async run(step) {
    const found = findChromium()
    if (found) return found
    await installFromDebian(['chromium', 'fonts-liberation'], `No Chromium found. ${advice}`, step)
    const installed = findChromium()
    if (!installed) throw new StepFailure(`The Debian package brought no browser. ${advice}`)
    return installed
  },
}

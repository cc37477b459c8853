import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { mustRun, StepFailure } from '../run-step.mjs'

/**
 * Debian's packages that rows of the exam need, and how to see whether one is there: `strace` watches the order of
 * flushes and answers, a compiler makes the disk that fails, `libfaketime` bends a running server's clock.
 *
 * @type {Record<string, () => boolean>}
 */
const tools = {
  strace: () => isInPath('strace'),
  gcc: () => isInPath('gcc'),
  libfaketime: () => findFaketime() !== undefined,
}

/** @param {string} program */
const isInPath = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)))

/** The library that bends a clock, where Debian puts it. */
export function findFaketime(root = '/usr/lib') {
  if (!existsSync(root)) return undefined
  return readdirSync(root)
    .map((name) => join(root, name, 'faketime/libfaketime.so.1'))
    .find((file) => existsSync(file))
}

/**
 * @param {(keyof typeof tools)[]} wanted
 * @returns {import('../run-step.mjs').Step}
 */
export const provideTools = (wanted) => ({
  name: `find ${wanted.join(', ')}`,
  async run({ note }) {
    const missing = wanted.filter((tool) => !tools[tool]?.())
    if (missing.length === 0) return
    const advice = `The exam needs ${missing.join(', ')} (Debian, Ubuntu: apt-get install ${missing.join(' ')}).`
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new StepFailure(advice)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    note('refreshing the list of Debian packages')
    await mustRun('apt-get', ['update', '-q'], { env })
    note('installing the Debian packages')
    const packages = missing.flatMap((tool) => (tool === 'gcc' ? ['gcc', 'libc6-dev'] : [tool]))
    await mustRun('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { env })
  },
})

import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installFromDebian } from './debian.mjs'

/**
 * Debian's packages that rows of the exam need, and how to see whether one is there: `strace` watches the order of
 * flushes and answers, a compiler makes the disk that fails, `libfaketime` bends a running server's clock. The image is
 * built by `buildah`, on what `mmdebstrap` lays out.
 *
 * @type {Record<string, () => boolean>}
 */
const tools = {
  strace: () => isInPath('strace'),
  gcc: () => isInPath('gcc'),
  libfaketime: () => findFaketime() !== undefined,
  buildah: () => isInPath('buildah'),
  mmdebstrap: () => isInPath('mmdebstrap'),
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
  async run(step) {
    const missing = wanted.filter((tool) => !tools[tool]?.())
    if (missing.length === 0) return
    const advice = `This needs ${missing.join(', ')} (Debian, Ubuntu: apt-get install ${missing.join(' ')}).`
    const packages = missing.flatMap((tool) => (tool === 'gcc' ? ['gcc', 'libc6-dev'] : [tool]))
    await installFromDebian(packages, advice, step)
  },
})

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isTest, wrongImports } from './arrows.mjs'

/** @param {string} root @returns {string[]} every wrong import in the repository, as sentences */
export function wrongImportsOf(root) {
  const homes = ['packages', 'apps'].flatMap((top) => readdirSync(join(root, top)).map((name) => join(root, top, name)))
  // Tests are not published: what is installed for anybody may be used.
  const anybodys = new Set([root, ...homes].flatMap((home) => [...declaredIn(join(home, 'package.json'))]))
  return homes.flatMap((home) => {
    const own = declaredIn(join(home, 'package.json'))
    return sourceFiles(home).flatMap((path) => {
      const file = relative(dirname(home), path)
      const isShipped = !isTest(file) && !file.endsWith('.config.ts')
      return wrongImports(file, readFileSync(path, 'utf8'), isShipped ? own : anybodys)
    })
  })
}

/** @param {string} file */
function declaredIn(file) {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  return new Set(
    [dependencies, devDependencies, optionalDependencies, peerDependencies].flatMap((of) => Object.keys(of ?? {})),
  )
}

/** @param {string} folder @returns {string[]} */
function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : sourceFiles(path)
    return /\.(ts|tsx|mts|js|mjs)$/.test(entry.name) ? [path] : []
  })
}

const wrong = wrongImportsOf(fileURLToPath(new URL('..', import.meta.url)))
for (const sentence of wrong) console.error(sentence)
process.exitCode = wrong.length === 0 ? 0 : 1

import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import ts from 'typescript'

/**
 * Which of our packages each one may import. What is not drawn is not wanted. Only tests may import testkit.
 *
 * @type {Record<string, string[]>}
 */
export const packageArrows = {
  protocol: [],
  token: [],
  sqlite: [],
  client: ['protocol', 'sqlite'],
  server: ['protocol', 'token', 'sqlite'],
  cli: ['token', 'server'],
  demo: ['client', 'token', 'sqlite'],
  testkit: ['protocol', 'token', 'server', 'client', 'cli', 'demo'],
}

/** A port is the file that bears the name of its folder; the folders beside it are adapters. */
const portFolders = ['store', 'bus']
const ports = portFolders.map((name) => `${name}/${name}.ts`)

/** Above the port of the bus: what nodes say to each other, in the words of those who listen. */
const betweenNodes = ['exchange', 'follower', 'messages', 'people', 'presence', 'revocations', 'session-ends'].map(
  (name) => `bus/${name}.ts`,
)

/** What happens is counted where it happens, whether or not anybody looks. */
const counting = 'observability/tally.ts'

/**
 * Which parts of the server each one may import besides itself.
 *
 * @type {Record<string, string[]>}
 */
export const serverArrows = {
  model: [],
  store: ['model'],
  // From one adapter of the store to another.
  transfer: ['store'],
  bus: ['model'],
  operations: ['model', counting, ...ports],
  delivery: ['model', 'operations', counting, ...ports, ...betweenNodes],
  authentication: ['model', 'operations', counting, ...ports, ...betweenNodes],
  observability: [...ports],
  jobs: ['model', 'operations', 'authentication', ...ports],
  edge: ['model', 'operations', 'authentication', 'delivery', counting, ...ports, ...betweenNodes],
}

export const isTest = (/** @type {string} */ file) =>
  /\.(test|contract)\.tsx?$|\/test\/|\.(test|process|journey)-/.test(file) || file.startsWith('testkit/')

/**
 * Everything wrong with one file's imports, as sentences.
 *
 * @param {string} file such as `server/src/model/unread.ts`; the first folder is the package
 * @param {string} text its source
 * @param {Set<string>} declared third-party packages that its package.json names
 * @returns {string[]}
 */
export function wrongImports(file, text, declared) {
  const owner = file.slice(0, file.indexOf('/'))
  const imports = ts.preProcessFile(text, true, true).importedFiles.map((found) => found.fileName)
  return imports.flatMap((name) => wrongImport(name) ?? [])

  function wrongImport(/** @type {string} */ name) {
    if (name.startsWith('.')) return wrongFile(join(dirname(file), name))
    if (name.startsWith('@parley/')) return wrongPackage(/** @type {string} */ (name.split('/')[1]))
    if (name.startsWith('node:') || builtinModules.includes(name)) {
      return isModel(file) && !isTest(file) ? `${file}: the model does no I/O, but imports ${name}` : undefined
    }
    const third = name.split('/', name.startsWith('@') ? 2 : 1).join('/')
    if (isModel(file) && !isTest(file)) return `${file}: the model imports nothing foreign, but imports ${third}`
    return declared.has(third) ? undefined : `${file}: ${third} is not declared in the package.json of ${owner}`
  }

  function wrongPackage(/** @type {string} */ name) {
    if (isTest(file) && (name === owner || name === 'testkit' || packageArrows.testkit?.includes(name))) return
    if (name === owner) return `${file}: inside a package, import the file that defines the thing, not @parley/${name}`
    if (packageArrows[owner]?.includes(name)) return
    return `${file}: ${owner} may not import @parley/${name}`
  }

  function wrongFile(/** @type {string} */ target) {
    // A journey through several packages may borrow what the tests of another stand on.
    if (isTest(file) && (target.startsWith('../scripts/') || target.includes('/test/'))) return
    if (!target.startsWith(`${owner}/`)) return `${file}: ${target} is in another package; import it by name`
    if (isTest(file)) return
    const from = placeInServer(file)
    const to = placeInServer(target)
    if (!from || !to) return
    if (from.part !== to.part) {
      if (!serverArrows[from.part]) return `${file}: scripts/arrows.mjs does not say what ${from.part} may import`
      if (serverArrows[from.part]?.some((allowed) => allowed === to.part || allowed === to.path)) return
      return `${file}: ${from.part} may not import ${to.path}`
    }
    const isOtherAdapter = portFolders.includes(from.part) && from.adapter && to.adapter && from.adapter !== to.adapter
    return isOtherAdapter ? `${file}: an adapter imports its port, not another adapter (${to.path})` : undefined
  }
}

const isModel = (/** @type {string} */ file) => file.startsWith('server/src/model/')

/** Where in the server a file lies; files directly in `src` (main, config, index) belong to no part and may import all. */
function placeInServer(/** @type {string} */ file) {
  const [, path, part, adapter] = /^server\/src\/(([^/]+)\/(?:([^/]+)\/)?.+)/.exec(file) ?? []
  return path && part ? { path, part, adapter } : undefined
}

/**
 * What a published package may hold, as far as its manifest and the list of its files tell.
 *
 * @typedef {{ name: string, private?: boolean, exports?: unknown, bin?: Record<string, string> }} Manifest
 */

/** Doors besides `exports` would let people reach files that are nobody's business. */
const OTHER_DOORS = ['main', 'module', 'browser', 'types', 'typings', 'directories', 'man']
const TEST_FILE = /(^|\/)(test|tests|__tests__|fixtures?|coverage)\/|\.(test|spec|contract|journey|process)\./
const SECRET_FILE = /(^|\/)(\.env|\.npmrc|\.git|id_(rsa|ecdsa|ed25519))|\.(pem|key|p12|pfx|sqlite|log)$/
/** Begins a private key with a body, not the words in a sentence or a pattern. */
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*(?:\\n)?\s*[A-Za-z0-9+/=]{32}/

/**
 * @param {Manifest & Record<string, unknown>} manifest
 * @param {readonly string[]} files paths in the tarball
 * @param {(path: string) => string} read
 * @returns {string[]} what is wrong, as sentences
 */
export function packageFaults(manifest, files, read) {
  const { name } = manifest
  const doors = OTHER_DOORS.filter((door) => door in manifest)
  const targets = [...addressesIn(manifest.exports), ...Object.values(manifest.bin ?? {})].map((path) =>
    path.replace(/^\.\//, ''),
  )
  return [
    ...(manifest.exports === undefined ? [`${name} has no exports`] : []),
    ...doors.map((door) => `${name} has '${door}' beside its exports`),
    ...targets.filter((path) => !files.includes(path)).map((path) => `${name} promises ${path}, which is not in it`),
    ...files.filter((path) => TEST_FILE.test(path)).map((path) => `${name} would publish a test: ${path}`),
    ...files.filter((path) => SECRET_FILE.test(path)).map((path) => `${name} would publish a secret: ${path}`),
    ...files
      .filter((path) => !path.endsWith('.map') && PRIVATE_KEY.test(read(path)))
      .map((path) => `${name} would publish a private key in ${path}`),
  ]
}

/** Whatever an importer may be led to; `source` is for ourselves, and not published. @returns {string[]} */
function addressesIn(/** @type {unknown} */ exports) {
  if (typeof exports === 'string') return [exports]
  if (typeof exports !== 'object' || exports === null) return []
  return Object.entries(exports).flatMap(([condition, to]) => (condition === 'source' ? [] : addressesIn(to)))
}

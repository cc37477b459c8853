/**
 * What one may type while the cluster runs: a verb and the name of a piece.
 *
 * @type {Record<string, (piece: import('./piece.mjs').Piece) => unknown>}
 */
const verbs = {
  start: (piece) => piece.start(),
  kill: (piece) => piece.signal('SIGKILL'),
  drain: (piece) => piece.signal('SIGTERM'),
  freeze: (piece) => piece.signal('SIGSTOP'),
  thaw: (piece) => piece.signal('SIGCONT'),
}

const usage = 'Type start, kill, drain, freeze or thaw, and the name of a piece, such as: kill node 2'

/**
 * Carries out a line, or says why not.
 *
 * @param {string} line @param {readonly import('./piece.mjs').Piece[]} pieces @param {(sentence: string) => void} report
 */
export async function obey(line, pieces, report) {
  const [verb = '', ...rest] = line.trim().split(/\s+/)
  if (verb === '') return
  const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  const piece = pieces.find(({ name }) => name === rest.join(' '))
  if (!act || !piece) {
    const names = pieces.map(({ name, pid, isRunning }) => `${name} (${isRunning ? `process ${pid}` : 'not running'})`)
    return report(`${usage}. There are: ${names.join(', ')}.`)
  }
  try {
    await act(piece)
  } catch (error) {
    report(`${piece.name}: ${error instanceof Error ? error.message : error}`)
  }
}

/**
 * Where everything is, and how to make trouble.
 *
 * @param {{
 *   pieces: readonly import('./piece.mjs').Piece[], demoUrl: string, url: string, appId: string, authServiceUrl: string,
 *   folder: string, isKept: boolean
 * }} options
 */
export function welcome({ pieces, demoUrl, url, appId, authServiceUrl, folder, isKept }) {
  const line = (/** @type {string} */ name, /** @type {string} */ where) => `    ${name.padEnd(24)} ${where}`
  const rows = pieces.map(({ name, where, pid }) => line(name, `${where.padEnd(48)} process ${pid}`))
  return `
  Parley is running as a cluster.

${line('Demo', demoUrl)}
${line('Server', `${url}   (app ${appId})`)}
${line('Authentication service', authServiceUrl)}
${line('Data', isKept ? folder : `${folder}, gone at the end`)}

${rows.join('\n')}

  Sign in as alice, ben, cleo or dana; the password is "parley". A private window, or another browser, is a second
  person or a second device.

  Then break something: kill any of these processes, or type what to do and to which piece:

    kill node 2         it is gone at once; its people go on at another node
    drain node 1        it sends its people away first, and stops
    freeze nats         it is there and says nothing; thaw nats wakes it up
    start node 2        it is back

  Nothing starts again by itself. Ctrl-C stops everything${isKept ? '; the data stays' : ', and nothing is left'}.
`
}

const PARENT_CHECK_MS = 500
/** Ctrl-C in a terminal reaches us twice, once through npm; only a later one means "at once". */
const IMPATIENCE_MS = 1_000

/**
 * Stops everything in good order when asked to, and ends the process; whoever asks again means at once.
 *
 * @param {() => Promise<void>} stop
 */
export function stopOnSignal(stop) {
  let stoppingSince = 0
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (stoppingSince && performance.now() - stoppingSince > IMPATIENCE_MS) process.exit(1)
      if (stoppingSince) return
      stoppingSince = performance.now()
      console.log('\nStopping …')
      stop().then(
        () => process.exit(0),
        (error) => {
          console.error(error)
          process.exit(1)
        },
      )
    })
  }
  stopWithParent()
}

/** npm passes a signal on to the shell between us, and that shell dies alone; nobody would be left to stop us. */
function stopWithParent() {
  if (!process.env.npm_lifecycle_event) return
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && process.emit('SIGTERM', 'SIGTERM'), PARENT_CHECK_MS).unref()
}

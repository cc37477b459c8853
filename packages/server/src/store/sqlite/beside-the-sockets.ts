/** What the server's own thread may take for the store without its sockets feeling it, commits and looks alike. */

/** On the average of the last ones; on a disk that is well they take a fifth of it at most. */
export const MAX_AVERAGE_MS = 1
/** One that took so long was felt by everybody who has a socket. */
export const SLOW_MS = 50
/** For how long none is tried there after that. */
export const AFTER_SLOW_MS = 60_000

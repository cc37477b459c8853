/** Rows of `meta` that the engine owns: how far the server was heard, and the log which that belongs to. */
export const CURSOR = 'cursor'
export const EPOCH = 'epoch'

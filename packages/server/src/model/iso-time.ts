let lastMs = Number.NaN
let lastText = ''

/** An instant as the wire has it. The last one is kept: what one batch says of itself, it says of one instant. */
export function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastText
}

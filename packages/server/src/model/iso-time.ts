let lastSecond = Number.NaN
let lastText = ''

/** An instant as the wire has it. The last second is kept: what is said of one instant is often said of the next. */
export function isoTime(ms: number): string {
  const second = Math.floor(ms / 1_000)
  if (second !== lastSecond) {
    lastText = new Date(second * 1_000).toISOString().slice(0, -4)
    lastSecond = second
  }
  const rest = ms - second * 1_000
  return `${lastText}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`
}

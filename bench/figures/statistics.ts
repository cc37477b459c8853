/** The middle of a list; of an even number, the upper of the two in the middle, which has happened. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** @param part 0.99 for the value that 99 of 100 do not exceed */
export function quantile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export interface Latencies {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export const latencies = (valuesMs: readonly number[]): Latencies => ({
  p50: quantile(valuesMs, 0.5),
  p95: quantile(valuesMs, 0.95),
  p99: quantile(valuesMs, 0.99),
})

export interface Point {
  readonly x: number
  readonly y: number
}

/**
 * How much y rises for each x: the median of the slopes between all pairs of points (Theil and Sen), so that a garbage
 * collection or two do not tilt the line.
 */
export function slope(points: readonly Point[]): number {
  const slopes: number[] = []
  for (const [i, a] of points.entries()) {
    for (const b of points.slice(i + 1)) if (b.x !== a.x) slopes.push((b.y - a.y) / (b.x - a.x))
  }
  return slopes.length === 0 ? 0 : median(slopes)
}

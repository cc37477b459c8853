import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'
import type { Figure, Sample } from './figure.ts'
import type { Histogram } from './histogram.ts'

/** How finely the event loop's delay is looked at: a timer of the engine's own that wakes so often. */
const LOOP_PRECISION_MS = 20

interface Line extends Sample {
  readonly metricName?: string
}

/**
 * What a scrape sees, in Prometheus' text: our own figures, read when asked, and what the library knows of any Node
 * process (processor, memory, collections of garbage, delay of the event loop).
 */
export class Metrics {
  readonly #registry = new Registry()

  constructor(figures: readonly Figure[]) {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LOOP_PRECISION_MS })
    for (const figure of figures) this.#registry.registerMetric(metricOf(figure))
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

/**
 * The library's own counters are for counting with; ours are counted already. Of a registered metric it only ever asks
 * for this.
 */
function metricOf(figure: Figure): Metric {
  const { name, help, type } = figure
  const get = async () => ({ name, help, type, aggregator: 'sum', values: linesOf(figure) })
  return { name, help, get } as unknown as Metric
}

const linesOf = (figure: Figure): readonly Line[] =>
  figure.type === 'histogram'
    ? figure.read().flatMap(({ labels = {}, of }) => histogramLines(figure.name, labels, of))
    : figure.read()

/** Buckets as Prometheus has them: each holds all that is not larger than its bound. */
function histogramLines(name: string, labels: NonNullable<Sample['labels']>, of: Histogram): Line[] {
  let below = 0
  const buckets = of.bounds.map((bound, index) => {
    below += of.counts[index]!
    return { metricName: `${name}_bucket`, labels: { le: String(bound), ...labels }, value: below }
  })
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: of.count },
    { metricName: `${name}_sum`, labels, value: of.sum },
    { metricName: `${name}_count`, labels, value: of.count },
  ]
}

/** The one table that all runs make: medians, with how far they spread, beside their limits. */
import { machineFigures } from '../limits/machine.ts'
import type { Run } from '../scenarios/run.ts'
import { type Figure, type Limit, LOAD_BOUND_CORES, type Sample, type Scenario } from '../scenarios/scenario.ts'
import { median } from './statistics.ts'
import { asText, type Table } from './table.ts'

export interface Report {
  readonly table: Table
  readonly text: string
}

export interface ResultReport extends Report {
  /** Limits that hold, and that do not. */
  readonly held: number
  readonly broken: number
}

export function resultTable(runs: readonly Run[]): ResultReport {
  const verdicts: boolean[] = []
  const rows = [...new Set(runs.map(({ scenario }) => scenario))].flatMap((scenario) => {
    const own = runs.filter((run) => run.scenario === scenario)
    return scenario.figures.map((figure, index) => {
      const row = figureRow(scenario, figure, own)
      if (row.holds !== undefined) verdicts.push(row.holds)
      return [index === 0 ? `${scenario.id}  ${scenario.title}` : '', ...row.cells, index === 0 ? note(own) : '']
    })
  })
  const titles = ['scenario', 'figure', 'reference', 'parley', 'ratio', 'limit', 'holds', 'note']
  const table: Table = { titles, words: 2, rows }
  const held = verdicts.filter(Boolean).length
  return { table, text: asText(table), held, broken: verdicts.length - held }
}

export function machineTable(samples: readonly Sample[]): Report {
  const rows = machineFigures.map(({ name, title }) => [
    title.replaceAll('`', ''),
    spread(
      samples.map((sample) => sample[name]!),
      0,
    ),
    '',
  ])
  const table: Table = { titles: ['the machine', 'figure', ''], words: 1, rows }
  return { table, text: asText(table) }
}

function figureRow(scenario: Scenario, figure: Figure, runs: readonly Run[]) {
  const { name, title, digits = 0, limit } = figure
  const of = (kind: string) =>
    runs.filter(({ server }) => server === kind).map(({ sample }) => sample[name] ?? Number.NaN)
  const [reference, parley] = [of('reference'), of('parley')]
  const isCompared = reference.length > 0 && parley.length > 0 && scenario.servers.length > 1
  // Of figures that were measured one after the other, since the machine is another one some minutes later.
  const ratio = isCompared ? median(parley.map((value, turn) => value / (reference[turn] ?? Number.NaN))) : Number.NaN
  const holds = limit && isWithin(limit, limit.of === 'ratio' ? ratio : median(parley))
  return {
    holds,
    cells: [
      title,
      spread(reference, digits),
      spread(parley, digits),
      !Number.isFinite(ratio) ? '' : `×${ratio.toFixed(2)}`,
      limit ? limitText(limit) : '',
      holds === undefined ? '' : holds ? 'yes' : 'NO',
    ],
  }
}

/** Undefined where there is nothing to compare. */
export function isWithin({ atLeast, atMost }: Limit, value: number): boolean | undefined {
  if (Number.isNaN(value)) return undefined
  return value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity)
}

function limitText({ of, atLeast, atMost }: Limit): string {
  const sign = atLeast === undefined ? '≤' : '≥'
  return `${sign} ${of === 'ratio' ? '×' : ''}${(atLeast ?? atMost)!.toLocaleString('en')}`
}

/** The median, and in brackets the least and the greatest where there are several. */
function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return ''
  const text = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  if (values.length === 1) return text(values[0]!)
  return `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`
}

function note(runs: readonly Run[]): string {
  const kinds = [...new Set(runs.map(({ server }) => server))]
  const bound = kinds.filter((kind) => {
    const cores = runs.filter(({ server }) => server === kind).map(({ sample }) => sample.clientCores ?? 0)
    return median(cores) >= LOAD_BOUND_CORES
  })
  const lost = runs.reduce((sum, { sample }) => sum + (sample.lost ?? 0), 0)
  return [
    ...(bound.length > 0 ? [`the load was the bound: ${bound.join(', ')}`] : []),
    ...(lost > 0 ? [`LOST ${lost}`] : []),
  ].join('; ')
}

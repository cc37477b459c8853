/** A profile in a few lines: where the time went, and where memory was taken. */
import { readFileSync } from 'node:fs'
import type { HeapProfiler, Profiler } from 'node:inspector'
import { asText } from './table.ts'

const LINES = 15

type Frame = Pick<Profiler.ProfileNode, 'callFrame'>['callFrame']

/** @param file as it was written, without its ending */
export function profileSummary(file: string): string {
  const cpu = JSON.parse(readFileSync(`${file}.cpuprofile`, 'utf8')) as Profiler.Profile
  const heap = JSON.parse(readFileSync(`${file}.heapprofile`, 'utf8')) as HeapProfiler.SamplingHeapProfile
  return [
    summary('main thread', timeByFunction(cpu), '% of time'),
    summary('memory', bytesByFunction(heap), '% of bytes'),
  ].join('\n\n')
}

function timeByFunction({ nodes, samples = [] }: Profiler.Profile): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const sums = new Map<string, number>()
  for (const id of samples) {
    const { callFrame } = byId.get(id)!
    if (callFrame.functionName !== '(idle)') add(sums, nameOf(callFrame), 1)
  }
  return sums
}

function bytesByFunction({ head }: HeapProfiler.SamplingHeapProfile): Map<string, number> {
  const sums = new Map<string, number>()
  const walk = (node: HeapProfiler.SamplingHeapProfileNode) => {
    add(sums, nameOf(node.callFrame), node.selfSize)
    for (const child of node.children) walk(child)
  }
  walk(head)
  return sums
}

const add = (sums: Map<string, number>, name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value)

/** The function, with the last two steps of the path to its file. */
const nameOf = ({ functionName, url, lineNumber }: Frame) =>
  `${functionName || '(anonymous)'}${url ? `  ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}` : ''}`

function summary(title: string, sums: ReadonlyMap<string, number>, unit: string): string {
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0)
  const rows = [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, LINES)
    .map(([name, value]) => [name, ((value / total) * 100).toFixed(1), ''])
  return asText({ titles: [title, unit, ''], words: 1, rows })
}

import type { Histogram } from './histogram.ts'

/** A number at the moment, or several that differ by their labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** Something an operator can read of a server: how it is called, what it says, and what it is when somebody asks. */
export type Figure = {
  readonly name: string
  readonly help: string
} & (
  | { readonly type: 'counter' | 'gauge'; readonly read: () => readonly Sample[] }
  | {
      readonly type: 'histogram'
      readonly read: () => readonly { readonly labels?: Sample['labels']; readonly of: Histogram }[]
    }
)

/** Counts from 0 with the process. */
export const counter = (name: string, help: string, read: () => readonly Sample[]): Figure => ({
  ...{ type: 'counter', name, help, read },
})
export const gauge = (name: string, help: string, read: () => readonly Sample[]): Figure => ({
  ...{ type: 'gauge', name, help, read },
})
export const histogram = (
  name: string,
  help: string,
  read: Extract<Figure, { type: 'histogram' }>['read'],
): Figure => ({
  ...{ type: 'histogram', name, help, read },
})

export const one = (value: number): readonly Sample[] => [{ value }]

export const byName = (label: string, counts: readonly (readonly [string, number])[]): readonly Sample[] =>
  counts.map(([name, value]) => ({ labels: { [label]: name }, value }))

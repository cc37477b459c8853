import { figuresText, type RowRun } from './run-row.ts'

/** The runs as a table of Markdown, which a terminal shows well enough. */
export function tableOf(runs: readonly RowRun[]): string {
  const lines = runs.map(
    ({ row, verdict, figures, tookMs }) =>
      `| ${row.id} | ${row.tier} | ${row.title} | ${verdict} | ${figuresText(figures)} | ${(tookMs / 1000).toFixed(1)} s |`,
  )
  return ['| row | tier | what | verdict | figures | took |', '|---|---|---|---|---|---|', ...lines].join('\n')
}

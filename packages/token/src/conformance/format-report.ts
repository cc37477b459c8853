import type { AuthServiceReport } from './check-auth-service.ts'
import type { Check } from './checks.ts'

const MARKS = { pass: '✓', fail: '✗', warn: '!' } as const

/** The report as lines of plain text, the last of which counts. */
export function formatReport(report: AuthServiceReport): string[] {
  const width = Math.max(...report.checks.map(({ id }) => id.length))
  const count = (verdict: Check['verdict']) => report.checks.filter((check) => check.verdict === verdict).length
  return [
    ...report.checks.flatMap((check) => formatCheck(check, width)),
    `${count('pass')} passed, ${count('fail')} failed, ${count('warn')} warned: ${report.url}`,
  ]
}

function formatCheck({ id, verdict, sentence, howToMend }: Check, width: number): string[] {
  const line = `${MARKS[verdict]} ${id.padEnd(width)}  ${sentence}`
  return howToMend === undefined ? [line] : [line, `${' '.repeat(width + 4)}→ ${howToMend}`]
}

/** Rows of text as a table: for a screen, and for a page. */
export interface Table {
  readonly titles: readonly string[]
  /** The first columns are words, the rest figures. */
  readonly words: number
  readonly rows: readonly (readonly string[])[]
}

export function asText({ titles, words, rows }: Table): string {
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i < words || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [line(titles), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

export function asMarkdown({ titles, words, rows }: Table): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`
  const isWords = (i: number) => i < words || i === titles.length - 1
  return [line(titles), line(titles.map((_, i) => (isWords(i) ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

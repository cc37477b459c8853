/**
 * Names come from whoever made the app, and a terminal obeys what it is shown. Everything that could move the cursor, colour,
 * hide or reorder text is taken out: escape sequences, control characters, marks of writing direction.
 */
export function printable(text: string): string {
  return text.replace(escapeSequences, '').replace(unprintable, '')
}

/** One line of JSON, free of characters that a terminal might obey. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    unprintable,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Rows as columns of even width. */
export function columns(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(printable))
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0)))
  return clean
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: they are what is looked for
/** CSI (colours, cursor), OSC, DCS, SOS, PM and APC (titles, links, devices) with what belongs to them, and two-character ones. */
const escapeSequences =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]/g
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: they are what is looked for

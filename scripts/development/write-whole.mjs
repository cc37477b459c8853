import { renameSync, writeFileSync } from 'node:fs'

/**
 * Writes JSON so that a reader sees either the old file or the whole new one.
 *
 * @param {string} file @param {unknown} value @param {{ isSecret?: boolean }} [options]
 */
export function writeWhole(file, value, { isSecret = false } = {}) {
  const draft = `${file}.${process.pid}.draft`
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: isSecret ? 0o600 : 0o644 })
  renameSync(draft, file)
}

import { utf8Length } from './json.ts'

/** Size of a part's body once decoded, in bytes. */
export function partBytes(part: { readonly body: string; readonly encoding?: 'base64' | undefined }): number {
  if (part.encoding !== 'base64') return utf8Length(part.body)
  const padding = part.body.endsWith('==') ? 2 : part.body.endsWith('=') ? 1 : 0
  return (part.body.length / 4) * 3 - padding
}

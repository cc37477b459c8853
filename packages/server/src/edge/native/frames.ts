import {
  type CommonOperation,
  type ParsedUpFrame,
  type Refusal,
  readCommonOperation,
  readPlainMessage,
  upFrame,
} from '@parley/protocol'
import { decodeText, parseInput, refuseDeep } from '../json-input.ts'

/** A frame of one type, after parsing. */
export type Frame<Type extends ParsedUpFrame['type']> = Extract<ParsedUpFrame, { type: Type }>

/** What a text turned out to be. */
export type Decoded =
  | { readonly common: CommonOperation }
  | { readonly frame: ParsedUpFrame }
  | { readonly refusal: Refusal }

/** Decodes a text frame; of messages and receipts the input is checked as well. */
export function decodeFrame(text: string): Decoded {
  const message = readPlainMessage(text)
  // Member by member: to spread an object behind another member is slow.
  if (message) {
    const { id, after, input } = message
    return { common: { name: 'send-message', id, after, input } }
  }
  const decoded = decodeText(text)
  if ('refusal' in decoded) return decoded
  const common = readCommonOperation(decoded.value)
  if (common) return { common }
  const refusal = refuseDeep(decoded.value)
  if (refusal) return refusal
  const parsed = parseInput(upFrame, decoded.value)
  return 'refusal' in parsed ? parsed : { frame: parsed.input }
}

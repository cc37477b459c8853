import type { RequestBody } from './answer-token-request.ts'

/** Collects a stream of chunks up to a limit. What comes after the limit is left unread. */
export async function readStream(chunks: AsyncIterator<unknown>, maxBytes: number): Promise<RequestBody> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      const part = typeof next.value === 'string' ? new TextEncoder().encode(next.value) : (next.value as Uint8Array)
      size += part.byteLength
      // Not told to return: Node would take that as a reason to cut the socket before our answer is out.
      if (size > maxBytes) return { state: 'too-large' }
      parts.push(part)
    }
  } catch {
    // The sender went away in the middle; there is nobody left to care what exactly we answer.
    return { state: 'broken' }
  }
  return { state: 'bytes', bytes: joined(parts, size) }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

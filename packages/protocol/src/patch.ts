/**
 * Layer-Patch: a list of `{operation, property, value | id}` applied in order. This file reads it; what a property
 * means is for whoever owns the object (see `conversation-patch.ts`).
 */
export interface PatchOperation {
  readonly operation: 'set' | 'delete' | 'add' | 'remove'
  /** Dot path from the object; a literal dot in a name is written `\.`. */
  readonly property: string
  readonly value?: unknown
  readonly id?: string | undefined
}

/** Splits a path on dots; `\.` is a dot in a name and any other `\x` is `x`. */
export function parsePath(property: string): string[] {
  const names: string[] = []
  let name = ''
  for (let i = 0; i < property.length; i++) {
    const char = property[i]!
    if (char === '\\' && i + 1 < property.length) name += property[++i]
    else if (char === '.') {
      names.push(name)
      name = ''
    } else name += char
  }
  names.push(name)
  return names
}

/** The reverse of {@link parsePath}. */
export function formatPath(names: readonly string[]): string {
  return names.map((name) => name.replace(/[\\.]/g, '\\$&')).join('.')
}

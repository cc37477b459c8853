import type { AppKey } from '../model/state.ts'
import type { Wanted } from '../store/store.ts'

type Kind = 'conversations' | 'people' | 'distinctKeys' | 'messages'

/** What was loaded for a batch, as opposed to what was remembered from earlier ones. */
export class Fresh {
  readonly #loads: readonly Wanted[]
  #names: ReadonlySet<string> | undefined

  constructor(loads: readonly Wanted[]) {
    this.#loads = loads
  }

  has(kind: Kind, app: AppKey, key: string): boolean {
    this.#names ??= namesOf(this.#loads)
    return this.#names.has(`${kind} ${app} ${key}`)
  }
}

/** Put together only if it is asked for, which few batches do. */
function namesOf(loads: readonly Wanted[]): ReadonlySet<string> {
  const kinds: readonly Kind[] = ['conversations', 'people', 'distinctKeys', 'messages']
  return new Set(
    loads.flatMap((wanted) => kinds.flatMap((kind) => wanted[kind].map(({ app, key }) => `${kind} ${app} ${key}`))),
  )
}

import type { LiveQuery } from '@parley/client'
import { useEffect, useState } from 'react'

export interface Live<T> {
  readonly items: readonly T[]
  readonly hasMore: boolean
  /** The first look at the device's data was taken. */
  readonly isReady: boolean
  readonly loadMore: (count: number) => void
}

const nothing: Live<never> = { items: [], hasMore: false, isReady: false, loadMore: () => {} }

/** What a query shows, for as long as the component is there. `key` names the query: another one opens anew. */
export function useLiveQuery<T>(key: string, open: () => LiveQuery<T>): Live<T> {
  const [live, setLive] = useState<Live<T>>(nothing)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says whether it is the same query
  useEffect(() => {
    const query = open()
    const loadMore = (count: number) => void query.loadMore(count).catch(() => {})
    const show = () => {
      setLive({ items: query.snapshot(), hasMore: query.hasMore, isReady: query.isReady, loadMore })
    }
    const stop = query.subscribe(show)
    query.ready.then(show, () => {})
    return () => {
      stop()
      query.close()
    }
  }, [key])
  return live
}

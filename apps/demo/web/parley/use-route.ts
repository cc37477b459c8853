import { useCallback, useSyncExternalStore } from 'react'

const PREFIX = '#/c/'

/** The open conversation, kept in the address, so that Back works and a reload stays where it was. */
export function useRoute(): [string | undefined, (id: string | undefined) => void] {
  const hash = useSyncExternalStore(watchHash, () => location.hash)
  const open = useCallback((id: string | undefined) => {
    location.hash = id ? PREFIX + encodeURIComponent(id) : ''
  }, [])
  return [hash.startsWith(PREFIX) ? decode(hash.slice(PREFIX.length)) : undefined, open]
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Leaves no conversation's name behind in the address. */
export function clearRoute(): void {
  history.replaceState(null, '', location.pathname)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

function watchHash(onChange: () => void): () => void {
  addEventListener('hashchange', onChange)
  return () => removeEventListener('hashchange', onChange)
}

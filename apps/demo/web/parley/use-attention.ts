import { useSyncExternalStore } from 'react'

const events = ['focus', 'blur', 'visibilitychange', 'pageshow'] as const

/** Whether somebody is looking: the page is visible and its window has the focus. */
export function useAttention(): boolean {
  return useSyncExternalStore(watchAttention, () => document.visibilityState === 'visible' && document.hasFocus())
}

function watchAttention(onChange: () => void): () => void {
  for (const name of events) addEventListener(name, onChange, true)
  return () => {
    for (const name of events) removeEventListener(name, onChange, true)
  }
}

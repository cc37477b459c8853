import { useCallback, useState } from 'react'
import type { Toast } from '../components/toasts.tsx'

const SHOWN_MS = 7_000

export interface Toasts {
  readonly toasts: readonly Toast[]
  readonly show: (text: string) => void
  readonly close: (id: number) => void
}

let lastId = 0

export function useToasts(): Toasts {
  const [toasts, setToasts] = useState<readonly Toast[]>([])
  const close = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), [])
  const show = useCallback(
    (text: string) => {
      lastId += 1
      const toast = { id: lastId, text }
      setToasts((all) => [...all.filter((each) => each.text !== text), toast])
      setTimeout(() => close(toast.id), SHOWN_MS)
    },
    [close],
  )
  return { toasts, show, close }
}

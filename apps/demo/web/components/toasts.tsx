import { Icon } from './icon.tsx'

export interface Toast {
  readonly id: number
  readonly text: string
}

/** Short sentences about what just happened; read aloud as they come. */
export function Toasts({ toasts, onClose }: { toasts: readonly Toast[]; onClose: (id: number) => void }) {
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map((toast) => (
        <div key={toast.id} className="toast">
          {toast.text}
          <button type="button" className="icon-button" aria-label="Close" onClick={() => onClose(toast.id)}>
            <Icon name="close" size={16} />
          </button>
        </div>
      ))}
    </div>
  )
}

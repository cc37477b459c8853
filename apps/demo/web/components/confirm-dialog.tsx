import { Dialog } from './dialog.tsx'

export interface Choice {
  readonly label: string
  readonly isDangerous?: boolean
  readonly onChoose: () => void
}

interface ConfirmDialogProps {
  readonly title: string
  readonly text: string
  readonly choices: readonly Choice[]
  readonly onClose: () => void
}

/** Asks before something that cannot be taken back. The safe answer comes first and has the focus. */
export function ConfirmDialog({ title, text, choices, onClose }: ConfirmDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="dialog-text">{text}</p>
      <div className="dialog-buttons">
        <button type="button" className="button quiet" onClick={onClose}>
          Cancel
        </button>
        {choices.map((choice) => (
          <button
            key={choice.label}
            type="button"
            className={choice.isDangerous ? 'button danger' : 'button'}
            onClick={() => {
              onClose()
              choice.onChoose()
            }}
          >
            {choice.label}
          </button>
        ))}
      </div>
    </Dialog>
  )
}

import { type FormEvent, useId, useState } from 'react'
import { Dialog } from './dialog.tsx'

interface RenameDialogProps {
  readonly title: string
  readonly onRename: (title: string) => void
  readonly onClose: () => void
}

export function RenameDialog({ title, onRename, onClose }: RenameDialogProps) {
  const [text, setText] = useState(title)
  const id = useId()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onRename(text.trim())
    onClose()
  }
  return (
    <Dialog title="Rename conversation" onClose={onClose}>
      <form onSubmit={submit}>
        <div className="field">
          <label className="field-label" htmlFor={id}>
            Title
          </label>
          <input
            id={id}
            className="input"
            value={text}
            maxLength={100}
            onChange={(event) => setText(event.target.value)}
            aria-describedby={`${id}-hint`}
          />
          <span id={`${id}-hint`} className="field-hint">
            Everybody sees it. Without one, the names of the others are shown.
          </span>
        </div>
        <div className="dialog-buttons">
          <button type="button" className="button quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button">
            Save
          </button>
        </div>
      </form>
    </Dialog>
  )
}

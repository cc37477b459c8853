import { Dialog } from './dialog.tsx'

interface SignOutDialogProps {
  /** What was written and never reached the server. */
  readonly unsent: readonly string[]
  readonly onDiscard: () => void
  readonly onClose: () => void
}

/** Signing out deletes the copy on this device, so what the server refused is shown once more before it goes. */
export function SignOutDialog({ unsent, onDiscard, onClose }: SignOutDialogProps) {
  return (
    <Dialog title="Sign out with unsent work?" onClose={onClose}>
      <p className="dialog-text">
        This never reached the others and goes when you sign out. Stay signed in to try again, or copy it first.
      </p>
      <ul className="unsent">
        {unsent.map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change while it is shown
          <li key={index}>{text}</li>
        ))}
      </ul>
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={onClose}>
          Stay signed in
        </button>
        <button type="button" className="button danger" onClick={onDiscard}>
          Sign out and drop it
        </button>
      </div>
    </Dialog>
  )
}

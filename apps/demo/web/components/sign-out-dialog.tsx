import { Dialog } from './dialog.tsx'

interface SignOutDialogProps {
  /** What was written and never reached the server. */
  readonly unsent: readonly string[]
  readonly onKeep: () => void
  readonly onDiscard: () => void
  readonly onClose: () => void
}

/** Signing out deletes the copy on this device, so what the server refused is shown once more before it may go. */
export function SignOutDialog({ unsent, onKeep, onDiscard, onClose }: SignOutDialogProps) {
  return (
    <Dialog title="Sign out with unsent work?" onClose={onClose}>
      <p className="dialog-text">
        This never reached the others. Stay signed in to try again. Or keep it: then your conversations stay on this
        device as well, until you come back or somebody else signs in.
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
        <button type="button" className="button quiet" onClick={onKeep}>
          Sign out and keep it here
        </button>
        <button type="button" className="button danger" onClick={onDiscard}>
          Sign out and drop it
        </button>
      </div>
    </Dialog>
  )
}

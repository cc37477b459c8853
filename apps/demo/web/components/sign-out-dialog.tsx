import { ConfirmDialog } from './confirm-dialog.tsx'

interface SignOutDialogProps {
  readonly unsent: number
  readonly onKeep: () => void
  readonly onDiscard: () => void
  readonly onClose: () => void
}

/** Some work never reached the server: nothing of it is dropped without being asked. */
export function SignOutDialog({ unsent, onKeep, onDiscard, onClose }: SignOutDialogProps) {
  const what = unsent === 1 ? 'One thing you did has' : `${unsent} things you did have`
  return (
    <ConfirmDialog
      title="Sign out with unsent work?"
      text={`${what} not reached the server. Keep it on this device for when you are back, or drop it for good.`}
      choices={[
        { label: 'Drop it', isDangerous: true, onChoose: onDiscard },
        { label: 'Keep it', onChoose: onKeep },
      ]}
      onClose={onClose}
    />
  )
}

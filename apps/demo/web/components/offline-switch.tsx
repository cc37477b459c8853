interface OfflineSwitchProps {
  readonly isOnline: boolean
  readonly onChange: (isOnline: boolean) => void
}

/** Cuts the connection, to see what happens then. */
export function OfflineSwitch({ isOnline, onChange }: OfflineSwitchProps) {
  const label = isOnline ? 'Go offline' : 'Go online'
  return (
    <button
      type="button"
      className="switch"
      role="switch"
      aria-checked={isOnline}
      aria-label="Connected to the network"
      title={label}
      onClick={() => onChange(!isOnline)}
    />
  )
}

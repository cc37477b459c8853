/** Reads new messages aloud, once each. */
export function LiveRegion({ text }: { text: string }) {
  return (
    <div className="visually-hidden" aria-live="polite" data-live-region>
      {text}
    </div>
  )
}

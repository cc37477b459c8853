/** How much of the history is on the device; shown only while it comes. */
export function SyncProgress({ done, total }: { done: number; total: number }) {
  return (
    <div className="sync">
      <label>
        Fetching your history: {done} of {total} {total === 1 ? 'conversation' : 'conversations'}
        <progress value={done} max={total} />
      </label>
    </div>
  )
}

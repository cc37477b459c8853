/** Before anything is known, or when nothing can be done. */
export function Splash({ text, isBusy }: { text: string; isBusy: boolean }) {
  return (
    <main className="splash">
      {isBusy && <span className="spinner" />}
      <p role="status">{text}</p>
    </main>
  )
}

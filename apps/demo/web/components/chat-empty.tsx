export function ChatEmpty({ onNew }: { onNew: () => void }) {
  return (
    <main id="thread" className="chat-empty">
      <div className="chat-empty-inner">
        <svg width="92" height="72" viewBox="0 0 92 72" fill="none" aria-hidden="true">
          <path
            d="M14 6h38a10 10 0 0 1 10 10v14a10 10 0 0 1-10 10H28L14 51V40a10 10 0 0 1-10-10V16A10 10 0 0 1 14 6Z"
            fill="currentColor"
            opacity="0.18"
          />
          <path
            d="M70 24h8a10 10 0 0 1 10 10v13a10 10 0 0 1-10 10v10L65 57H48a10 10 0 0 1-9.5-7"
            stroke="currentColor"
            strokeWidth="2.5"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
          <path d="M20 19h26M20 28h16" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round" />
        </svg>
        <h2>Pick up where you left off</h2>
        <p>Choose a conversation, or start one. Everything here is on this device, with or without a network.</p>
        <button type="button" className="button" onClick={onNew}>
          New conversation
        </button>
      </div>
    </main>
  )
}

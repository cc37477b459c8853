import { typingSentence } from '../model/names.ts'

export function TypingRow({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <div className="typing-row">
      <span className="typing-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {typingSentence(names)}
    </div>
  )
}

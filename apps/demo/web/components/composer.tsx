import { type KeyboardEvent, useEffect, useId, useRef } from 'react'
import { textRoom } from '../model/length.ts'
import { Icon } from './icon.tsx'

interface ComposerProps {
  readonly draft: string
  readonly placeholder: string
  readonly onChange: (draft: string) => void
  readonly onSend: (text: string) => void
}

/** Enter sends, Shift+Enter starts a line. What is being composed with an input method is never sent half-done. */
export function Composer({ draft, placeholder, onChange, onSend }: ComposerProps) {
  const field = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const room = textRoom(draft)
  const canSend = draft.trim() !== '' && !room.isOver

  useEffect(() => {
    const area = field.current
    if (!area || CSS.supports('field-sizing', 'content')) return
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight}px`
  })

  const send = () => {
    if (canSend) onSend(draft.trim())
    field.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <div className={room.isOver ? 'composer-box over' : 'composer-box'}>
        <textarea
          ref={field}
          rows={1}
          value={draft}
          aria-label="Message"
          aria-invalid={room.isOver}
          aria-describedby={room.isNear ? id : undefined}
          placeholder={placeholder}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {room.isNear && (
          <span id={id} className={room.isOver ? 'composer-room over' : 'composer-room'} role="status">
            {room.isOver ? `${-room.leftBytes} too many` : `${room.leftBytes} left`}
          </span>
        )}
        <button type="submit" className="icon-button composer-send" aria-label="Send" title="Send" disabled={!canSend}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  )
}

import { type FormEvent, useId, useState } from 'react'
import type { Person } from '../model/chat.ts'
import { readUserIds } from '../model/names.ts'
import { Avatar } from './avatar.tsx'
import { Dialog } from './dialog.tsx'

export interface NewConversation {
  readonly userIds: readonly string[]
  readonly title: string
}

interface NewConversationDialogProps {
  /** People to pick without typing. */
  readonly suggestions: readonly Person[]
  readonly onCreate: (conversation: NewConversation) => void
  readonly onClose: () => void
}

/** Who takes part, by user id, and a title when there are several. */
export function NewConversationDialog({ suggestions, onCreate, onClose }: NewConversationDialogProps) {
  const [people, setPeople] = useState('')
  const [title, setTitle] = useState('')
  const id = useId()
  const userIds = readUserIds(people)

  const toggle = (userId: string) => {
    const rest = userIds.filter((each) => each !== userId)
    setPeople((rest.length === userIds.length ? [...rest, userId] : rest).join(', '))
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (userIds.length > 0) onCreate({ userIds, title: title.trim() })
  }

  return (
    <Dialog title="New conversation" onClose={onClose}>
      <form onSubmit={submit}>
        <div className="field">
          <label className="field-label" htmlFor={`${id}-people`}>
            With whom?
          </label>
          <input
            id={`${id}-people`}
            className="input"
            value={people}
            onChange={(event) => setPeople(event.target.value)}
            placeholder="ben, cleo"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            aria-describedby={`${id}-hint`}
          />
          <span id={`${id}-hint`} className="field-hint">
            User ids, separated by commas
          </span>
        </div>
        {suggestions.length > 0 && (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset draws its own frame
          <div className="suggestions" role="group" aria-label="Suggestions">
            {suggestions.map((person) => (
              <button
                key={person.id}
                type="button"
                className="chip"
                aria-pressed={userIds.includes(person.userId)}
                onClick={() => toggle(person.userId)}
              >
                <Avatar person={person} size="small" />
                {person.name}
              </button>
            ))}
          </div>
        )}
        <div className="field">
          <label className="field-label" htmlFor={`${id}-title`}>
            Title <span className="field-hint">(if you like)</span>
          </label>
          <input
            id={`${id}-title`}
            className="input"
            value={title}
            maxLength={100}
            onChange={(event) => setTitle(event.target.value)}
            placeholder="Weekend plans"
          />
        </div>
        <div className="dialog-buttons">
          <button type="button" className="button quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button" disabled={userIds.length === 0}>
            Start
          </button>
        </div>
      </form>
    </Dialog>
  )
}

import { type FormEvent, useId, useState } from 'react'
import type { Person } from '../model/chat.ts'
import { readUserIds } from '../model/names.ts'
import { Dialog } from './dialog.tsx'
import { Icon } from './icon.tsx'
import { PersonRow } from './person-row.tsx'

interface PeopleDialogProps {
  readonly me: Person
  readonly others: readonly Person[]
  readonly onAdd: (userIds: readonly string[]) => void
  readonly onRemove: (person: Person) => void
  readonly onClose: () => void
}

/** Who takes part; anybody may add and remove. */
export function PeopleDialog({ me, others, onAdd, onRemove, onClose }: PeopleDialogProps) {
  const [text, setText] = useState('')
  const id = useId()
  const userIds = readUserIds(text)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (userIds.length > 0) onAdd(userIds)
    setText('')
  }
  return (
    <Dialog title="People" onClose={onClose}>
      <ul className="people">
        <PersonRow person={me} note="You" />
        {others.map((person) => (
          <PersonRow key={person.id} person={person}>
            <button
              type="button"
              className="icon-button"
              aria-label={`Remove ${person.name}`}
              title={`Remove ${person.name}`}
              onClick={() => onRemove(person)}
            >
              <Icon name="close" size={18} />
            </button>
          </PersonRow>
        ))}
      </ul>
      <form onSubmit={submit}>
        <div className="field">
          <label className="field-label" htmlFor={id}>
            Add people
          </label>
          <span className="inline-field">
            <input
              id={id}
              className="input"
              value={text}
              onChange={(event) => setText(event.target.value)}
              placeholder="dana"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
            />
            <button type="submit" className="button" disabled={userIds.length === 0}>
              Add
            </button>
          </span>
        </div>
        <div className="dialog-buttons">
          <button type="button" className="button quiet" onClick={onClose}>
            Done
          </button>
        </div>
      </form>
    </Dialog>
  )
}

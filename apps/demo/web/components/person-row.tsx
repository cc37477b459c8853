import type { ReactNode } from 'react'
import type { Person } from '../model/chat.ts'
import { Avatar } from './avatar.tsx'

export function PersonRow({ person, note, children }: { person: Person; note?: string; children?: ReactNode }) {
  return (
    <li className="person">
      <Avatar person={person} size="medium" />
      <span className="person-name">
        {person.name}
        <small>{note ?? person.userId}</small>
      </span>
      {children}
    </li>
  )
}

import { describe, expect, it } from 'vitest'
import { conversationName, initials, listNames, personName, readUserIds, typingSentence } from './names.ts'

const person = (userId: string) => ({ id: userId, userId, name: personName(null, userId) })

describe('names', () => {
  it('calls a conversation by its title, else by the others in it', () => {
    expect(conversationName({ title: 'Trip', others: [person('ben')] })).toBe('Trip')
    expect(conversationName({ title: '', others: [person('ben'), person('cleo')] })).toBe('Ben and Cleo')
    expect(conversationName({ title: '', others: [] })).toBe('Just you')
  })

  it('lists a few names and counts the rest', () => {
    expect(listNames(['Ben', 'Cleo', 'Dana'])).toBe('Ben, Cleo and Dana')
    expect(listNames(['Ben', 'Cleo', 'Dana', 'Erik'])).toBe('Ben, Cleo and 2 others')
  })

  it('says who is typing', () => {
    expect(typingSentence([])).toBe('')
    expect(typingSentence(['Ben'])).toBe('Ben is typing…')
    expect(typingSentence(['Ben', 'Cleo'])).toBe('Ben and Cleo are typing…')
  })

  it('takes initials by characters, not by code units', () => {
    expect(initials('Ada Lovelace')).toBe('AL')
    expect(initials('🦊 fox')).toBe('🦊F')
    expect(initials('')).toBe('?')
  })

  it('reads user ids however they are separated, each once', () => {
    expect(readUserIds(' ben,cleo;  ben dana ')).toEqual(['ben', 'cleo', 'dana'])
  })
})

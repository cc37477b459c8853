import { describe, expect, it } from 'vitest'
import { dayLabel, shortTime } from './time.ts'

const now = new Date('2026-11-22T18:20:00')
const at = (text: string) => new Date(text).toISOString()

describe('time', () => {
  it.each([
    ['2026-11-22T00:00:00', 'Today'],
    ['2026-11-21T23:59:59', 'Yesterday'],
    ['2026-11-17T12:00:00', 'Tuesday'],
    ['2026-11-03T12:00:00', 'Nov 3'],
    ['2024-11-03T12:00:00', 'Nov 3, 2024'],
    ['2026-11-23T12:00:00', 'Nov 23'],
  ])('calls the day of %s %s', (text, label) => {
    expect(dayLabel(at(text), now)).toBe(label)
  })

  it('shows the time today and the day before that', () => {
    expect(shortTime(at('2026-11-22T09:05:00'), now)).toBe('09:05')
    expect(shortTime(at('2026-11-21T09:05:00'), now)).toBe('Yesterday')
  })
})

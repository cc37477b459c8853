import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')
const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)')
const colours = (text: string) =>
  new Map([...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1], match[2]]))
const schemes = { light: colours(light), dark: new Map([...colours(light), ...colours(dark)]) }

const tints = Array.from({ length: 8 }, (_, index) => ['tint-ink', `tint-${index}`] as const)
const pairs: readonly (readonly [text: string, ground: string])[] = [
  ['ink', 'paper'],
  ['ink', 'surface'],
  ['ink', 'side'],
  ['ink', 'hover'],
  ['ink', 'selected'],
  ['ink', 'theirs'],
  ['ink', 'danger-soft'],
  ['ink-soft', 'paper'],
  ['ink-soft', 'surface'],
  ['ink-soft', 'side'],
  ['ink-soft', 'hover'],
  ['ink-soft', 'selected'],
  ['ink-soft', 'theirs'],
  ['accent', 'side'],
  ['accent', 'paper'],
  ['accent', 'surface'],
  ['accent-ink', 'accent'],
  ['accent-ink', 'accent-hover'],
  ['accent-soft-ink', 'accent-soft'],
  ['own-ink', 'own'],
  ['own-soft', 'own'],
  ['own-read', 'own'],
  ['danger', 'paper'],
  ['danger', 'surface'],
  ['danger', 'danger-soft'],
  ['danger-ink', 'danger'],
  ['notice-ink', 'notice'],
  ...tints,
]

describe.each(Object.entries(schemes))('the %s scheme', (_name, scheme) => {
  it.each(pairs)('shows %s on %s with a contrast of at least 4.5', (text, ground) => {
    expect(contrast(scheme.get(text)!, scheme.get(ground)!)).toBeGreaterThanOrEqual(4.5)
  })
})

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

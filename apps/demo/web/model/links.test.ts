import { markupPayloads } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { splitLinks } from './links.ts'

const links = (text: string) => splitLinks(text).flatMap((piece) => piece.href ?? [])

describe('splitLinks', () => {
  it('finds web addresses and leaves the full stop behind', () => {
    expect(splitLinks('See https://example.org/a?b=1. And')).toEqual([
      { text: 'See ' },
      { text: 'https://example.org/a?b=1', href: 'https://example.org/a?b=1' },
      { text: '. And' },
    ])
  })

  it.each([
    'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    '//example.org',
    'https://',
  ])('makes no link of %s', (text) => {
    expect(links(text)).toEqual([])
  })

  it('ends an address at a quote or an angle bracket', () => {
    expect(links('<a href="https://example.org/"onclick=alert(1)>')).toEqual(['https://example.org/'])
  })

  it.each(['', 'plain', 'a https://x.org b http://y.org', 'https://x.org'])('loses no character of "%s"', (text) => {
    expect(
      splitLinks(text)
        .map((piece) => piece.text)
        .join(''),
    ).toBe(text)
  })
})

it('132 of all hostile texts only addresses of the web become links, and the text stays as it was', () => {
  for (const text of markupPayloads) {
    const pieces = splitLinks(text)
    expect(pieces.map((piece) => piece.text).join('')).toBe(text)
    for (const { href } of pieces) if (href) expect(href).toMatch(/^https?:\/\/[^/"'<>\s]/)
  }
})

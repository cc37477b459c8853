import { markupPayloads } from '@parley/testkit'
import { expect, test } from 'vitest'
import { accountPage, logInPage, signUpPage } from './pages.ts'

/** Every tag of a page, with the attributes it has. */
const tags = (page: string) => [...page.matchAll(/<\/?[a-z][^>]*>/gi)].map(([tag]) => tag.replace(/="[^"]*"/g, '=""'))

test('132 whatever people call themselves, the pages have the same tags with the same attributes', () => {
  for (const text of markupPayloads) {
    const values = { user: text, displayName: text, problem: text }
    const plain = { user: 'x', displayName: 'x', problem: 'x' }
    expect(tags(logInPage(values))).toEqual(tags(logInPage(plain)))
    expect(tags(signUpPage(values))).toEqual(tags(signUpPage(plain)))
    expect(tags(accountPage(text, [text]))).toEqual(tags(accountPage('x', ['x'])))
  }
})

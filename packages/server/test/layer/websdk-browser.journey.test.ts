import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSdkPages, type SdkPages } from './support/page-sdk.ts'
import { walk } from './support/walk.ts'

let pages: SdkPages
beforeAll(async () => {
  pages = await openSdkPages()
})
afterAll(() => pages?.close())

walk('in Chromium, on another origin', (options) => pages.open(options))

it('LAY-19 no page was kept from an answer by cross-origin rules, and none failed', () => {
  expect(pages.complaints).toEqual([])
})

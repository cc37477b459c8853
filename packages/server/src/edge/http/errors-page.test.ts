import { ERRORS_PATH, errors, toWireError } from '@parley/protocol'
import { expect, it } from 'vitest'
import { errorsPage } from './errors-page.ts'

it('the address of every error leads to its place in the catalog', () => {
  const page = errorsPage()
  for (const id of Object.keys(errors) as (keyof typeof errors)[]) {
    const { url } = toWireError({ id })
    expect(url).toBe(`${ERRORS_PATH}#${id}`)
    expect(page).toContain(`id="${id}"`)
  }
})

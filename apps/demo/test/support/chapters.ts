import { afterEach, beforeEach } from 'vitest'

/** For a story whose tests build on each other: once one has failed, those after it would only wait in vain. */
export function inChapters(): void {
  let hasFailed = false
  beforeEach(({ skip }) => skip(hasFailed, 'an earlier chapter failed'))
  afterEach(({ task }) => {
    hasFailed ||= task.result?.state === 'fail'
  })
}

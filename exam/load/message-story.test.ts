import { expect, it } from 'vitest'
import type { History } from '../checker/history.ts'
import { storyOf } from './message-story.ts'

const id = 'layer:///messages/2'
const origin = performance.timeOrigin

const history = {
  operations: [
    {
      device: 'alice 1',
      name: 'send-message',
      message: id,
      invokedAt: -origin,
      outcome: { state: 'ok', at: 40 - origin },
    },
    { device: 'alice 2', name: 'delete-message', message: id, invokedAt: 60 - origin, outcome: { state: 'unknown' } },
    { device: 'ben 1', name: 'send-message', message: 'another', invokedAt: 0, outcome: { state: 'unknown' } },
  ],
  store: [
    {
      copy: {
        rows: [
          { stream: 'c', key: 'message 2', row: { type: 'message', id, position: 2, sequence: 7, deleted_at: 'then' } },
          { stream: 'c', key: 'message 3', row: { type: 'message', id: 'another', position: 3, deleted_at: null } },
        ],
      },
    },
  ],
} as unknown as Pick<History, 'operations' | 'store'>

it('a message that somebody shows and nobody else has tells its story', () => {
  const together = ['delete Message 1', 'create Message 2', 'delete Message 2']
  const heard = [
    { at: 50, isAbout: true, what: 'down change create Message', together },
    { at: 90, isAbout: false, what: 'up socket', together: [] },
    { at: 9_000, isAbout: false, what: 'up socket', together: [] },
  ]
  const story = storyOf('lena', { id, position: 2, isLetGo: true }, history, heard)
  expect(story.map(({ sentence }) => sentence)).toEqual([
    'lena and 2 layer:///messages/2: the SDK has let go of it',
    'the store has it at 2, sequence 7, deleted then',
    'it was asked for by alice 1 send-message 00:00:00.000, ok 00:00:00.040; alice 2 delete-message 00:00:00.060, unknown',
    'lena heard 00:00:00.050 down change create Message in delete Message 1, create Message 2, delete Message 2',
    'lena heard 00:00:00.090 up socket',
  ])
})

it('of a message that is nowhere, that is said', () => {
  const story = storyOf('lena', { id: 'layer:///messages/9', position: 9, isLetGo: false }, history, [])
  expect(story.map(({ sentence }) => sentence)).toEqual([
    'lena and 9 layer:///messages/9: the SDK holds it',
    'the store has it nowhere, nor that it was deleted',
    'it was asked for by nobody',
  ])
})

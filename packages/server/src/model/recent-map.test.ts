import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RecentMap } from './recent-map.ts'
import type { AppKey } from './state.ts'

const app = fc.constantFrom(1 as AppKey, 2 as AppKey)
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step = fc.oneof(
  fc.record({ do: fc.constant('put' as const), app, key, value: fc.nat() }),
  fc.record({ do: fc.constant('get' as const), app, key }),
  fc.record({ do: fc.constant('undo' as const), count: fc.nat(3) }),
  fc.record({ do: fc.constant('trim' as const) }),
)

it('what it knows is what was put last and not taken back, and it forgets only when trimmed', () => {
  fc.assert(
    fc.property(fc.array(step), fc.nat(6), (steps, max) => {
      const map = new RecentMap<number>()
      const truth = new Map<string, number>()
      let undos: (() => void)[] = []
      let isTrimmed = false
      for (const one of steps) {
        if (one.do === 'put') {
          const name = `${one.app} ${one.key}`
          const before = truth.get(name)
          const undo = map.put(one.app, one.key, one.value)
          truth.set(name, one.value)
          undos.push(() => {
            undo()
            if (before === undefined) truth.delete(name)
            else truth.set(name, before)
          })
        } else if (one.do === 'undo') for (const undo of undos.splice(-one.count - 1).reverse()) undo()
        else if (one.do === 'trim') {
          map.trim(max)
          // Whatever was decided before is committed by then.
          undos = []
          isTrimmed = true
        } else {
          const known = map.get(one.app, one.key)
          if (known !== undefined || !isTrimmed) expect(known).toBe(truth.get(`${one.app} ${one.key}`))
        }
      }
    }),
  )
})

it('keeps what is in use, and a bounded number of others', () => {
  const map = new RecentMap<number>()
  const one = 1 as AppKey
  map.set(one, 'used', 1)
  for (let i = 0; i < 1_000; i++) {
    map.set(one, `once ${i}`, i)
    map.get(one, 'used')
    map.trim(100)
  }
  expect(map.get(one, 'used')).toBe(1)
  const kept = Array.from({ length: 1_000 }, (_, i) => map.get(one, `once ${i}`)).filter((value) => value !== undefined)
  expect(kept.length).toBeGreaterThanOrEqual(50)
  expect(kept.length).toBeLessThanOrEqual(150)
})

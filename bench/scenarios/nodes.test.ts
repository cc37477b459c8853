import { describe, expect, it } from 'vitest'
import { placed } from './nodes.ts'

describe('where people are', () => {
  const ports = [1, 2, 3]
  const pairs = (where: Parameters<typeof placed>[1]) => {
    const placesOf = placed({ conversations: 90, members: 2 }, where, ports)
    return Array.from({ length: 90 }, (_, pair) => placesOf.slice(2 * pair, 2 * pair + 2))
  }
  const shareOfOne = (where: Parameters<typeof placed>[1]) => pairs(where).filter(([a, b]) => a === b).length / 90

  it('together, apart, or as one in three would be by chance', () => {
    expect([shareOfOne('together'), shareOfOne('apart'), shareOfOne('anywhere')]).toEqual([1, 0, 1 / 3])
  })

  it('every node has as many of them', () => {
    for (const where of ['together', 'apart', 'anywhere'] as const) {
      const all = pairs(where).flat()
      expect(ports.map((port) => all.filter((one) => one === port).length)).toEqual([60, 60, 60])
    }
  })
})

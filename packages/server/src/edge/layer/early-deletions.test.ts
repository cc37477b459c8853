import { describe, expect, it } from 'vitest'
import { APART_MS, EarlyDeletions } from './early-deletions.ts'
import { created, deleted, objectName, updated } from './packets.ts'

const url = ''
const message = (id: string) => objectName(url, 'Message', `layer:///messages/${id}`)
const conversation = objectName(url, 'Conversation', 'layer:///conversations/c')
const comes = (id: string) => created('Message', message(id))
const goes = (id: string) => deleted(message(id), { mode: 'all_participants' })

describe('deletions that would be carried out before what they delete', () => {
  it('LAY-38 a message may go as soon as it came, if nothing went before it came', () => {
    const early = new EarlyDeletions()
    expect([comes('a'), comes('b'), goes('b'), goes('a')].map((packet) => early.holdMs(packet, 0))).toEqual([
      0, 0, 0, 0,
    ])
  })

  it('LAY-38 if something went before it came, it goes in another turn', () => {
    const early = new EarlyDeletions()
    const packets = [comes('a'), goes('a'), comes('b'), updated(conversation, []), goes('b')]
    expect(packets.map((packet) => early.holdMs(packet, 100))).toEqual([0, 0, 0, 0, APART_MS])
    expect(early.holdMs(goes('b'), 600)).toBe(APART_MS - 500)
    expect(early.holdMs(goes('b'), 100 + APART_MS)).toBe(0)
  })

  it('LAY-38 what goes with its conversation went as well', () => {
    const early = new EarlyDeletions()
    const packets = [deleted(conversation, { mode: 'my_devices', from_position: 3 }), comes('a'), goes('a')]
    expect(packets.map((packet) => early.holdMs(packet, 0))).toEqual([0, 0, APART_MS])
  })

  it('LAY-38 nobody minds what went long before', () => {
    const early = new EarlyDeletions()
    early.holdMs(goes('a'), 0)
    expect([comes('b'), goes('b')].map((packet) => early.holdMs(packet, APART_MS))).toEqual([0, 0])
  })

  it('LAY-38 what is held back counts as gone when it goes', () => {
    const early = new EarlyDeletions()
    for (const packet of [goes('a'), comes('b'), goes('b')]) early.holdMs(packet, 0)
    expect([comes('c'), goes('c')].map((packet) => early.holdMs(packet, APART_MS + 1))).toEqual([0, APART_MS])
  })

  it('a clock that is set back holds nothing back for longer', () => {
    const early = new EarlyDeletions()
    for (const packet of [goes('a'), comes('b')]) early.holdMs(packet, 3_600_000)
    expect(early.holdMs(goes('b'), 0)).toBe(APART_MS)
  })
})

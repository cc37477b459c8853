import type { ConversationId } from '@parley/protocol'
import { hashOfCopy } from '../checker/canonical.ts'
import type { Copy } from '../checker/history.ts'
import { comparable, copyOf, type ExamDevice } from '../load/device.ts'
import { allBack } from '../load/killing.ts'
import { readCopy } from '../load/store-view.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

export const row: Row = {
  id: 52,
  tier: 'q',
  title: 'devices come back from memory, from the store, and with cursors that are not theirs',
  async run(context) {
    const world = await World.open(context)
    const { server } = world
    const [writer, reader] = [await world.signedIn('alice'), await world.signedIn('ben')]
    const conversations: ConversationId[] = []
    for (let i = 0; i < 5; i++) conversations.push(await world.conversation([writer, reader]))
    let number = 0
    const write = async (count: number) => {
      const sent = []
      for (let i = 0; i < count; i++) sent.push(await writer.send(conversations[number % 5]!, `text ${number++}`))
      await Promise.all(sent.map((one) => one?.acknowledged))
    }
    let resumed = 0
    const comeBack = async () => {
      reader.client.connect()
      await allBack(world)
      resumed++
    }

    // A short absence: the server remembers.
    reader.client.disconnect()
    await write(50)
    await comeBack()
    // A long one: the server was started anew and remembers nothing.
    reader.client.disconnect()
    await write(50)
    await server.kill()
    await server.start()
    world.heal()
    await comeBack()
    const views = await world.settle()
    const fresh = await world.signedIn('ben')
    await world.settle()
    const wanted = views.find(({ identity }) => identity === reader.identity)!.copy
    const hashes = [await hashOf(reader), await hashOf(fresh), hashOfCopy(comparable(wanted))]

    // Cursors that are not theirs, with nothing at hand: the whole copy must be offered, as to a newcomer.
    const token = await server.signIn('ben')
    const { epoch, cursor } = await readCopy(server.websocketUrl, token)
    const strange = { future: '9007199254740991', nonsense: 'not a cursor', negative: '-1', empty: '' }
    const offered: Record<string, string> = {}
    for (const [name, value] of Object.entries(strange)) {
      const copy: Copy | undefined = await readCopy(server.websocketUrl, token, { cursor: value, epoch }).then(
        (read) => read.copy,
        () => undefined,
      )
      offered[name] = !copy
        ? 'sent away'
        : hashOfCopy(comparable(copy)) === hashes[2]
          ? 'all'
          : `${copy.rows.length} rows`
    }
    const otherEpoch = await readCopy(server.websocketUrl, token, { cursor, epoch: 'another log' })
    offered.otherEpoch = hashOfCopy(comparable(otherEpoch.copy)) === hashes[2] ? 'all' : 'less'
    const { findings, figures } = await world.examine()
    return judge({
      bites: resumed + Object.keys(offered).length,
      findings,
      figures: { ...figures, ...offered },
      holds: {
        'both ways back, a fresh download and the store are equal byte for byte': new Set(hashes).size === 1,
        'a cursor that cannot be is taken for none': Object.values(offered).every((what) => what === 'all'),
      },
    })
  },
}

const hashOf = async (device: ExamDevice) => hashOfCopy(comparable(await copyOf(await device.replica())))

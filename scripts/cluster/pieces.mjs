import { join } from 'node:path'
import { startBalancerProcess, startNats, startParley, startPostgres } from '@parley/testkit'
import { Piece } from './piece.mjs'

/** @typedef {(sentence: string) => void} Report */

/** @param {{ version: 15 | 18, folder: string, report: Report }} options */
export async function startDatabase({ version, folder, report }) {
  const server = await startPostgres({ version, folder: join(folder, 'postgres'), isApart: true })
  // The database of an earlier run, if the folder was kept.
  await server.createDatabase('parley').catch((error) => {
    if (error.code !== '42P04') throw error
  })
  const piece = new Piece(
    {
      name: 'postgres',
      where: server.url('parley'),
      whenGone: 'Messages wait on the devices until it is back; nothing is lost.',
      first: server,
      again: async () => {
        await server.start()
        return server
      },
    },
    report,
  )
  return { piece, url: server.url('parley'), close: () => server.close() }
}

/** @param {Report} report */
export async function startBus(report) {
  const server = await startNats({ isApart: true })
  const piece = new Piece(
    {
      name: 'nats',
      where: server.url,
      whenGone: 'Messages go on; other nodes find them by looking into the store, a moment later.',
      first: server.process,
      again: async () => {
        await server.restart()
        return server.process
      },
    },
    report,
  )
  return { piece, url: server.url }
}

/**
 * @param {{ name: string, storeUrl: string, busUrl: string, publicUrl: string, port: number, report: Report }} options
 */
export async function startNode({ name, storeUrl, busUrl, publicUrl, port, report }) {
  const launch = async () => {
    const node = await startParley({
      dataFolder: storeUrl,
      port,
      args: ['--public-url', publicUrl, '--development'],
      env: { PARLEY_BUS: busUrl },
      isApart: true,
    })
    let told = node.lines.length
    const tell = setInterval(() => {
      for (const line of node.lines.slice(told)) report(`${name} says ${line}`)
      told = node.lines.length
      if (!node.isRunning) clearInterval(tell)
    }, 200)
    return node
  }
  return new Piece(
    {
      name,
      where: `http://127.0.0.1:${port}`,
      whenGone: 'Whoever was on it is taken to another one by the balancer.',
      first: await launch(),
      again: launch,
    },
    report,
  )
}

/** @param {{ ports: number[], port: number, report: Report }} options */
export async function startEntrance({ ports, port, report }) {
  const launch = () => startBalancerProcess({ ports, port, isApart: true })
  return new Piece(
    {
      name: 'balancer',
      where: `http://127.0.0.1:${port}`,
      whenGone: 'Nobody reaches a node; what people write is kept on their devices.',
      first: await launch(),
      again: launch,
    },
    report,
  )
}

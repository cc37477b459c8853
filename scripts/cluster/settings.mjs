import { resolve } from 'node:path'
import { Obstacle } from '../development/ports.mjs'

const USUAL_NODES = 3
/** More would take all connections that PostgreSQL has for them. */
const MAX_NODES = 5

/**
 * What the environment says, or the usual.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function settingsFrom(env) {
  const nodes = Number(env.PARLEY_NODES || USUAL_NODES)
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES) {
    throw new Obstacle(`PARLEY_NODES is "${env.PARLEY_NODES}", but a cluster here has 1 to ${MAX_NODES} nodes.`)
  }
  return { nodes, ...(env.PARLEY_DATA && { keptFolder: resolve(env.PARLEY_DATA) }) }
}

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openAdministration } from '@parley/server'
import { writeWhole } from './write-whole.mjs'

/**
 * @typedef {{ appId: string, providerId: string, keyId: string, privateKeyPem: string }} DevelopmentApp
 */

/**
 * The app that the demo uses: created once, and kept in the folder with the private key of its authentication service.
 *
 * @param {string} dataFolder @param {import('@parley/server').StorePlace} [place] default: that folder
 * @returns {Promise<DevelopmentApp>}
 */
export async function provideDevelopmentApp(dataFolder, place = { dataFolder }) {
  const file = join(dataFolder, 'development-app.json')
  const administration = await openAdministration(place)
  try {
    const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
    const apps = await administration.listApps()
    if (known && apps.some((app) => app.appId === known.appId)) return known
    const created = await administration.createApp({ name: 'Development', environment: 'staging' })
    writeWhole(file, created, { isSecret: true })
    return created
  } finally {
    await administration.close()
  }
}

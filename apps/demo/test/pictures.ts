/**
 * Takes the pictures in docs/images anew: `npx tsx apps/demo/test/pictures.ts`. They show the app's own components with
 * the invented people of the stories, since a real server would stamp the whole day with one minute.
 */
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'
import { Device } from './support/browser.ts'

const demo = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const images = fileURLToPath(new URL('../../../docs/images/', import.meta.url))

const server = await createServer({ configFile: demo('vite.config.ts'), server: { host: '127.0.0.1', port: 0 } })
await server.listen()
const [address] = server.resolvedUrls?.local ?? []

for (const colorScheme of ['light', 'dark'] as const) {
  const device = new Device({
    name: `picture-${colorScheme}`,
    colorScheme,
    scale: 1.25,
    size: { width: 1120, height: 700 },
  })
  await device.open(`${address}stories.html?picture#chat`)
  await device.page.getByText('Same time next month?').first().waitFor()
  await device.page.screenshot({ path: `${images}demo-${colorScheme}.png` })
  await device.discard()
}
await server.close()

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '@parley/testkit'

const main = fileURLToPath(new URL('../../../../scripts/development/main.mjs', import.meta.url))

export interface Development {
  readonly demoUrl: string
  readonly authServiceUrl: string
  readonly close: () => Promise<void>
}

/** The server, the authentication service and the pages, as `npm start` runs them, on free ports and an empty folder. */
export async function startDevelopment(): Promise<Development> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'parley-journey-'))
  const env = { PORT: '0', PARLEY_DATA: dataFolder, PARLEY_HOST: undefined }
  const program = startProcess({ command: process.execPath, args: [main], env })
  await program.line(/Parley is running/)
  const { demoUrl, authServiceUrl } = JSON.parse(readFileSync(join(dataFolder, 'dev.json'), 'utf8'))
  return {
    demoUrl,
    authServiceUrl,
    close: async () => {
      await program.terminate()
      await program.close()
      rmSync(dataFolder, { recursive: true, force: true })
    },
  }
}

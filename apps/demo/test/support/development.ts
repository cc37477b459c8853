import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '@parley/testkit'

const main = fileURLToPath(new URL('../../../../scripts/development/main.mjs', import.meta.url))

const parley = fileURLToPath(new URL('../../../../packages/cli/bin/parley.js', import.meta.url))

export interface Development {
  readonly demoUrl: string
  readonly authServiceUrl: string
  /** What a client needs to know of the server. */
  readonly server: { readonly appId: string; readonly url: string; readonly websocketUrl: string }
  /** Ends all sessions of a person, as an operator would. */
  readonly revokeSessions: (userId: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** The server, the authentication service and the pages, as `npm start` runs them, on free ports and an empty folder. */
export async function startDevelopment(): Promise<Development> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'parley-journey-'))
  const env = { PORT: '0', PARLEY_DATA: dataFolder, PARLEY_HOST: undefined }
  const program = startProcess({ command: process.execPath, args: [main], env })
  await program.line(/Parley is running/)
  const { appId, url, websocketUrl, demoUrl, authServiceUrl } = JSON.parse(
    readFileSync(join(dataFolder, 'dev.json'), 'utf8'),
  )
  return {
    demoUrl,
    authServiceUrl,
    server: { appId, url, websocketUrl },
    revokeSessions: async (userId) => {
      const args = [parley, 'sessions', 'revoke', '--data', dataFolder, appId, userId]
      const { code } = await startProcess({ command: process.execPath, args }).exit
      if (code !== 0) throw new Error(`The sessions of ${userId} could not be revoked.`)
    },
    close: async () => {
      await program.terminate()
      await program.close()
      rmSync(dataFolder, { recursive: true, force: true })
    },
  }
}

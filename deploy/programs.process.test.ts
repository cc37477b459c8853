/** The files in this folder, as the programs see them that they are for. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '@parley/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import { findTool } from '../scripts/prepare/deployment-tools.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'parley-deploy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const output = ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr

describe('promtool', () => {
  it.each([
    ['check', 'rules', 'alerts.yml'],
    ['check', 'config', 'scrape.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ])('%s %s %s', (...args) => {
    const ran = spawnSync(findTool('promtool') ?? 'promtool', args, {
      cwd: join(here, 'prometheus'),
      encoding: 'utf8',
    })
    expect(ran.status, ran.error?.message ?? output(ran)).toBe(0)
  })
})

describe('systemd', () => {
  it.runIf(existsSync('/usr/bin/systemd-analyze'))('knows every word of the unit', () => {
    const unit = join(folder, 'parley.service')
    cpSync(join(here, 'systemd/parley.service'), unit)
    // Programs of the machine it will run on are not here; all else it complains of is ours.
    const ran = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' })
    const complaints = output(ran).split('\n')
    expect(complaints.filter((line) => line.includes('parley.service') && !/not executable/.test(line))).toEqual([])
  })
})

describe('the image', () => {
  /** What the last stage holds: the packages as they are built and published, and what they depend on. */
  function layOut(): string {
    const image = join(folder, 'image')
    const tree = execFileSync(
      'npm',
      ['ls', '--all', '--omit=dev', '--parseable', '--workspace', '@parley/cli', '--loglevel=silent'],
      { cwd: root, encoding: 'utf8' },
    )
    const installed = tree
      .split('\n')
      .filter((path) => path.includes('node_modules') && !/@parley|\/typescript$/.test(path))
    mkdirSync(join(image, 'node_modules/@parley'), { recursive: true })
    for (const path of installed) {
      const inside = (file: string) => !/node_modules|^deps$|^build\/Release\/obj/.test(relative(path, file))
      cpSync(path, join(image, relative(root, path)), { recursive: true, filter: inside })
    }
    const dockerfile = readFileSync(join(here, 'Dockerfile'), 'utf8')
    const packages = [...dockerfile.matchAll(/^COPY packages\/(\w+) /gm)].map(([, name]) => name!)
    for (const name of packages) {
      const from = join(root, 'packages', name)
      const isShipped = (file: string) => !/^(src|test|node_modules)(\/|$)/.test(relative(from, file))
      cpSync(from, join(image, 'packages', name), { recursive: true, filter: isShipped })
      execFileSync('ln', ['-s', `../../packages/${name}`, join(image, 'node_modules/@parley', name)])
    }
    return image
  }

  it('holds all that a server needs, and starts by the very command, in a folder that has nothing else', async () => {
    const image = layOut()
    const args = ['packages/cli/bin/parley.js', 'serve', '--json', '--port', '0']
    const env = { PARLEY_DATA: join(folder, 'data'), NODE_ENV: 'production', NODE_PATH: undefined }
    const server = startProcess({ command: process.execPath, args, cwd: image, env })
    try {
      const [line] = await server.line(/^\{"url":.*\}$/)
      expect((await fetch(`${JSON.parse(line).url}/readyz`)).status).toBe(200)
      expect(await server.terminate()).toEqual({ code: 0, signal: null })
    } finally {
      await server.close()
    }
  })
})

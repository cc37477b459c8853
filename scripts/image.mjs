import './prepare/node-version.mjs'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * `npm run image`: builds the image of deploy/Dockerfile without a daemon, starts a server in it as the user it names, asks it
 * whether it is ready, makes an app beside it, and stops it. Needs Buildah (Debian: buildah), and root.
 *
 *     npm run image                  on Node's own image, which is fetched
 *     npm run image -- --lay-base    on one laid out here, of Debian's packages and this very Node: where no images can be had
 */
const { mustRun, runStep, StepFailure } = await import('./run-step.mjs')
const { provideTools } = await import('./prepare/exam-tools.mjs')
const { startProcess } = await import('@parley/testkit')

const { values } = parseArgs({ options: { 'lay-base': { type: 'boolean', default: false } } })
const root = fileURLToPath(new URL('..', import.meta.url))
const dockerfile = join(root, 'deploy/Dockerfile')
const node = /** @type {string} */ (/^ARG NODE=(.+)$/m.exec(readFileSync(dockerfile, 'utf8'))?.[1])
const base = `docker.io/library/node:${node}`
const folder = mkdtempSync(join(tmpdir(), 'parley-image-'))
const NAME = 'localhost/parley'

/** @param {string[]} args */
const buildahArgs = (...args) => ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run'), ...args]
/** @param {string[]} args */
const buildah = async (...args) => (await mustRun('buildah', buildahArgs(...args), { cwd: root })).trim()

/** Debian's smallest system with this Node, its npm and its headers, under the name that the Dockerfile asks for. */
async function layBase() {
  const system = join(folder, 'base.tar')
  const prefix = dirname(dirname(process.execPath))
  const certificates = '/etc/ssl/certs/ca-certificates.crt'
  const npmrc = join(folder, 'npmrc')
  writeFileSync(npmrc, `nodedir=${prefix}\n`)
  const hooks = [
    `mkdir -p "$1${prefix}/bin" "$1${prefix}/lib/node_modules" "$1${prefix}/include" "$1${prefix}/etc"`,
    ...['node', 'npm', 'npx'].map((name) => `cp -a ${prefix}/bin/${name} "$1${prefix}/bin/"`),
    `cp -a ${prefix}/lib/node_modules/npm "$1${prefix}/lib/node_modules/"`,
    `cp -a ${prefix}/include/node "$1${prefix}/include/"`,
    `cp ${certificates} "$1${certificates}"`,
    `cp ${npmrc} "$1${prefix}/etc/npmrc"`,
    'chroot "$1" useradd --uid 1000 --create-home node',
  ]
  const customize = hooks.map((hook) => `--customize-hook=${hook}`)
  await mustRun('mmdebstrap', ['--variant=minbase', '--include=ca-certificates', ...customize, 'bookworm', system])
  const lines = ['FROM scratch', 'ADD base.tar /', `ENV NODE_EXTRA_CA_CERTS=${certificates}`, 'CMD ["node"]']
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`)
  await buildah('bud', '--tag', base, '--file', join(folder, 'Dockerfile'), folder)
}

async function build() {
  const ignore = ['--ignorefile', join(root, 'deploy/Dockerfile.dockerignore')]
  const how = ['--isolation', 'chroot', '--format', 'docker', ...(values['lay-base'] ? ['--pull-never'] : [])]
  await buildah('bud', ...how, ...ignore, '--file', dockerfile, '--tag', NAME, root)
}

async function serve() {
  const container = await buildah('from', '--pull-never', NAME)
  const inside = [
    'run',
    '--isolation',
    'chroot',
    '--network',
    'host',
    container,
    '--',
    'node',
    'packages/cli/bin/parley.js',
  ]
  const server = startProcess({ command: 'buildah', args: buildahArgs(...inside, 'serve', '--json', '--port', '0') })
  try {
    const [line] = await server.line(/^\{"url":.*\}$/)
    const { url, pid } = JSON.parse(line)
    const user = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    if (user !== '1000') throw new StepFailure(`The server runs as user ${user}, not as the image's own.`)
    const { status } = await fetch(`${url}/readyz`)
    if (status !== 200) throw new StepFailure(`The server in the image answered /readyz with ${status}.`)
    await buildah(...inside, 'apps', 'create', '--name', 'My app')
    process.kill(pid, 'SIGTERM')
    const { code } = await server.exit
    if (code !== 0) throw new StepFailure(`The server in the image was asked to stop and ended with ${code}.`)
    const mounted = await buildah('mount', container)
    const [kilobytes] = (await mustRun('du', ['-sk', join(mounted, 'parley')])).split('\t')
    return `served as user ${user}; ${(Number(kilobytes) / 1024).toFixed(0)} MiB besides Node's own image`
  } finally {
    await server.close()
  }
}

const isBaseLaid = values['lay-base']
const steps = [
  provideTools(isBaseLaid ? ['buildah', 'mmdebstrap'] : ['buildah']),
  ...(isBaseLaid ? [{ name: `lay out ${base}`, run: layBase }] : []),
  { name: 'build the image', run: build },
  { name: 'start a server in it', run: serve },
]

try {
  for (const step of steps) {
    if (await runStep(step)) continue
    process.exitCode = 1
    break
  }
} finally {
  await mustRun('buildah', buildahArgs('rm', '--all')).catch(() => {})
  rmSync(folder, { recursive: true, force: true })
}

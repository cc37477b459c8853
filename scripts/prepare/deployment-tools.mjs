import { findProgram, installFromDebian } from './debian.mjs'

/**
 * Programs that the files in deploy/ are written for, so that a test can run them: the proxies, and what checks
 * Prometheus' rules. Each is Debian's.
 *
 * @type {Record<'nginx' | 'haproxy' | 'caddy' | 'promtool', { variable: string, debian: string }>}
 */
const tools = {
  nginx: { variable: 'NGINX', debian: 'nginx-light' },
  haproxy: { variable: 'HAPROXY', debian: 'haproxy' },
  caddy: { variable: 'CADDY', debian: 'caddy' },
  promtool: { variable: 'PROMTOOL', debian: 'prometheus' },
}

/** @param {keyof typeof tools} name */
export const findTool = (name) =>
  findProgram(
    tools[name].variable,
    ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'].map((at) => `${at}/${name}`),
    `Install ${name}.`,
  )

/** @type {import('../run-step.mjs').Step} */
export const provideDeploymentTools = {
  name: `find ${Object.keys(tools).join(', ')}`,
  async run(step) {
    const names = /** @type {(keyof typeof tools)[]} */ (Object.keys(tools))
    const missing = names.filter((name) => findTool(name) === undefined)
    if (missing.length === 0) return
    const packages = missing.map((name) => tools[name].debian)
    const advice = `The files in deploy/ are tried with ${missing.join(', ')} (Debian: apt-get install ${packages.join(' ')}).`
    await installFromDebian(packages, advice, step)
  },
}

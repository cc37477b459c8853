/** What can be said of the files in this folder without the programs they are for. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const here = fileURLToPath(new URL('.', import.meta.url))
const read = (file: string) => readFileSync(join(here, file), 'utf8')

/** The chart's templates with every expression replaced by a word, as YAML that can be read. */
function plain(template: string): string {
  const lines = template.split('\n').flatMap((line) => {
    // Whole lines that direct, define or include something are no YAML.
    if (/^\s*\{\{-?\s*(if|else|end|range|with|define|include|toYaml|\.Files)\b.*\}\}\s*$/.test(line)) return []
    if (/^\s*\{\{-? (include|toYaml|\.Files)/.test(line)) return []
    return [line.replaceAll(/"?\{\{.*?\}\}"?(:"?\{\{.*?\}\}"?)?/g, 'word')]
  })
  return lines.join('\n')
}

describe('the Helm chart', () => {
  const values = parse(read('helm/parley/values.yaml'))
  const names = readdirSync(join(here, 'helm/parley/templates'))
  const templates = names.map((name) => [name, read(`helm/parley/templates/${name}`)] as const)

  it.each(templates)('%s asks for values that there are', (_, template) => {
    const asked = [...template.matchAll(/\.Values((?:\.\w+)+)/g)].map(([, path]) => path!.slice(1).split('.'))
    const missing = asked.filter(
      (path) => path.reduce((value, key) => (value as Record<string, unknown>)?.[key], values) === undefined,
    )
    expect(missing).toEqual([])
  })

  it.each(templates)('%s ends what it begins', (_, template) => {
    const count = (word: RegExp) => [...template.matchAll(word)].length
    expect(count(/\{\{-? (if|range|with|define)\b/g)).toBe(count(/\{\{-? end\b/g))
  })

  it.each(templates.filter(([name]) => name.endsWith('.yaml')))('%s is YAML of Kubernetes', (_, template) => {
    const documents = parseAllDocuments(plain(template).replaceAll(/^(?=apiVersion:)/gm, '---\n'))
    for (const document of documents) expect(document.errors).toEqual([])
    const objects = documents.map((document) => document.toJS()).filter((object) => object !== null)
    expect(objects.length).toBeGreaterThan(0)
    for (const object of objects) {
      expect(object).toMatchObject({
        apiVersion: expect.any(String),
        kind: expect.any(String),
        spec: expect.any(Object),
      })
      expect(object.metadata.name).toMatch(/^word/)
    }
  })

  it('gives a pod longer to end than people to move, and probes what the server answers', () => {
    const pod = parse(plain(read('helm/parley/templates/_helpers.tpl')).replace(/^app\.kubernetes.*\n/gm, ''))
    const [container] = pod.spec.containers
    expect(read('helm/parley/templates/_helpers.tpl')).toContain('{{ add .Values.drainSeconds 20 }}')
    expect(container.livenessProbe.httpGet.path).toBe('/healthz')
    expect(container.readinessProbe.httpGet.path).toBe('/readyz')
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false })
  })

  it('watches the very alerts that are tried', () => {
    expect(read('helm/parley/alerts.yml')).toBe(read('prometheus/alerts.yml'))
  })
})

describe('compose.yaml', () => {
  const { services, volumes } = parse(read('compose.yaml'), { merge: true })

  it('has every volume, service and file that it names', () => {
    for (const service of Object.values<Record<string, unknown>>(services)) {
      for (const name of Object.keys(parse(JSON.stringify(service.depends_on ?? {})))) {
        if (Number.isNaN(Number(name))) expect(services).toHaveProperty(name)
      }
      for (const mount of (service.volumes ?? []) as string[]) {
        const [from = ''] = mount.split(':')
        if (from.startsWith('.')) expect(existsSync(join(here, from))).toBe(true)
        else expect(volumes).toHaveProperty(from)
      }
    }
  })

  it('publishes no figures, and nothing beyond this machine', () => {
    const ports = Object.values<{ ports?: string[] }>(services).flatMap((service) => service.ports ?? [])
    expect(ports.every((port) => port.startsWith('127.0.0.1:') && !port.includes('9464'))).toBe(true)
  })
})

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile')

  it('runs as nobody in particular, on the Node that is tested, from a stage without a compiler', () => {
    const stages = dockerfile.split(/^FROM /m).slice(1)
    expect(stages).toHaveLength(2)
    expect(stages[1]).toMatch(/^USER node$/m)
    expect(stages[1]).not.toMatch(/apt-get/)
    expect(dockerfile).toMatch(/^HEALTHCHECK /m)
    expect(dockerfile).not.toMatch(/:latest/)
  })

  it('copies only what is not ignored', () => {
    const kept = read('Dockerfile.dockerignore')
      .match(/^!.+/gm)!
      .map((line) => line.slice(1))
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) => files!.split(' '))
    expect(copied.sort()).toEqual(kept.sort())
    for (const file of copied) expect(existsSync(join(here, '..', file))).toBe(true)
  })
})

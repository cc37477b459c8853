import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Everything is a file of our own origin: the page runs under a policy without inline scripts, styles or data URLs. */
export default defineConfig({
  root: at('web'),
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  plugins: [shellList()],
  build: {
    outDir: at('dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: at('web/index.html'), sw: at('web/service-worker/sw.ts') },
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
})

/** Tells the service worker which files make up the shell, and a version that changes with any of them. */
function shellList(): Plugin {
  return {
    name: 'shell-list',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const worker = bundle['sw.js']
      if (worker?.type !== 'chunk') throw new Error('The service worker was not built.')
      const files = Object.keys(bundle).filter((name) => name.startsWith('assets/'))
      const page = bundle['index.html']
      const version = createHash('sha256').update(files.sort().join())
      if (page?.type === 'asset') version.update(page.source)
      const shell = { version: version.digest('hex').slice(0, 12), files: ['/', ...files.map((name) => `/${name}`)] }
      worker.code = worker.code.replace('__SHELL__', JSON.stringify(shell))
    },
  }
}

import { defineConfig } from 'vitest/config'

/**
 * Tests run from source: packages resolve each other by the `source` condition of their exports.
 *
 * Four projects, told apart by file name. `unit` needs nothing installed and ends in seconds; `process` starts servers of
 * its own; `engine` PostgreSQL or NATS; `journey` drives a real browser. The last three run the built programs, one file at
 * a time.
 */
const folders = ['deploy', 'packages/*/{src,test}', 'apps/*', 'scripts', 'exam', 'bench']
const files = (ending: string) => folders.map((folder) => `${folder}/**/*.${ending}.ts`)

const oneAtATime = { fileParallelism: false, globalSetup: ['scripts/build-before-tests.mjs'] }

export default defineConfig({
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  ssr: { resolve: { conditions: ['source', 'node', 'development|production'] } },
  test: {
    pool: 'forks',
    // A busy machine is no failure.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // Loading the same modules for each file would take longer than the tests do; none of them keeps state.
          isolate: false,
          include: folders.map((folder) => `${folder}/**/*.test.{ts,tsx}`),
          exclude: ['**/node_modules/**', '**/dist/**', ...files('{process,engine,journey}.test')],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...oneAtATime,
          name: 'process',
          include: files('process.test'),
          testTimeout: 90_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...oneAtATime,
          name: 'engine',
          include: files('engine.test'),
          testTimeout: 90_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...oneAtATime,
          name: 'journey',
          include: files('journey.test'),
          testTimeout: 180_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})

import { expect, test } from 'vitest'
import { packageFaults } from './published.mjs'

const manifest = { name: 'p', exports: { '.': { source: './src/index.ts', default: './dist/index.js' } } }
const files = ['package.json', 'dist/index.js']
const read = () => ''

test('a package of what it promises and nothing else is fine', () => {
  expect(packageFaults(manifest, files, read)).toEqual([])
  // To speak of keys is not to publish one.
  const words = () => `if (text.includes('-----BEGIN PRIVATE KEY-----')) throw new Error()`
  expect(packageFaults(manifest, files, words)).toEqual([])
})

test.each([
  ['no exports', { exports: undefined }, files, 'p has no exports'],
  ['another door', { main: './dist/index.js' }, files, "p has 'main' beside its exports"],
  ['a promise it does not keep', {}, ['package.json'], 'p promises dist/index.js, which is not in it'],
  ['a test', {}, [...files, 'dist/a.test.js'], 'p would publish a test: dist/a.test.js'],
  ['a folder of tests', {}, [...files, 'test/world.js'], 'p would publish a test: test/world.js'],
  ['a key file', {}, [...files, 'dist/dev.pem'], 'p would publish a secret: dist/dev.pem'],
  ['a store', {}, [...files, 'parley.sqlite'], 'p would publish a secret: parley.sqlite'],
])('%s is noticed', (_, more, paths, fault) => {
  expect(packageFaults({ ...manifest, ...more }, paths, read)).toEqual([fault])
})

test('a private key in the midst of code is noticed', () => {
  const key = `const key = "-----BEGIN PRIVATE KEY-----\\n${'MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAA'}"`
  expect(packageFaults(manifest, files, (path) => (path.endsWith('.js') ? key : ''))).toEqual([
    'p would publish a private key in dist/index.js',
  ])
})

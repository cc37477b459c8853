import { expect, test } from 'vitest'
import { readNatsAddress } from './nats-address.ts'

test.each([
  ['nats://localhost', ['localhost:4222'], {}, false],
  ['nats://10.0.0.1:4223/', ['10.0.0.1:4223'], {}, false],
  ['nats://a:1,b,c-d.example:65535', ['a:1', 'b:4222', 'c-d.example:65535'], {}, false],
  ['nats://[::1]:4222,[fe80::1]', ['[::1]:4222', '[fe80::1]:4222'], {}, false],
  ['tls://parley:s%40cret:x@bus', ['bus:4222'], { user: 'parley', pass: 's@cret:x' }, true],
  ['nats://t0ken@bus', ['bus:4222'], { token: 't0ken' }, false],
])('%s is read', (text, servers, credentials, isEncrypted) => {
  expect(readNatsAddress(text)).toEqual({ servers, credentials, isEncrypted })
})

test.each(['', 'nats', 'nats://', 'http://bus', 'nats://a,,b', 'nats://a b', 'nats://bus/path', 'nats://bus:port'])(
  '%j is refused',
  (text) => {
    expect(() => readNatsAddress(text)).toThrow(/looks like nats:\/\/host:4222/)
  },
)

test('what is refused is not told, since it may hold a password', () => {
  expect(() => readNatsAddress('nats://parley:secret@bus:port')).toThrow(/^(?!.*secret)/)
})

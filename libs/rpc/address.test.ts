import { expect, test } from 'vitest'
import { dialableHost, formatAddress, isLoopback, parseAddress } from './address.js'

test.each([
  ['127.0.0.1:0', '127.0.0.1', 0],
  ['node-17.cluster:65535', 'node-17.cluster', 65_535],
  ['[::1]:50051', '::1', 50_051],
])('%s is an address and is written back the same', (address, host, port) => {
  expect(parseAddress(address)).toEqual({ host, port })
  expect(formatAddress({ host, port })).toBe(address)
})

test.each(['', 'localhost', ':4000', 'a:b', 'a:70000', '::1:4000', '[nope]:1', 'http://a:1', 'a:1,b:2', 'a b:1'])(
  "'%s' is no address",
  (address) => {
    expect(() => parseAddress(address)).toThrow('is no address. Write host:port')
  },
)

test('loopback is what stays on this machine', () => {
  for (const host of ['127.0.0.1', '127.8.9.1', 'localhost', 'LOCALHOST', '::1', '::ffff:127.0.0.1']) {
    expect(isLoopback(host), host).toBe(true)
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example', '1127.0.0.1']) {
    expect(isLoopback(host), host).toBe(false)
  }
})

test('a wildcard is not what others dial', () => {
  expect(['0.0.0.0', '::']).not.toContain(dialableHost('0.0.0.0'))
  expect(['0.0.0.0', '::']).not.toContain(dialableHost('::'))
  expect(dialableHost('node-17')).toBe('node-17')
})

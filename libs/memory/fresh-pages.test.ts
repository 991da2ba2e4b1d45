import { readFileSync } from 'node:fs'
import { release } from 'node:os'

import { expect, test } from 'vitest'

import { touchAhead } from './fresh-pages.js'
import { findLibC } from './libc.js'

const megabyte = 2 ** 20
const [major = 0, minor = 0] = release().split('.').map(Number)
/** Older kernels do not know the call. */
const findsPages = process.platform === 'linux' && (major > 5 || (major === 5 && minor >= 14))

/** How much of this memory has pages. */
function residentBytesOf(bytes: Uint8Array): number {
  const libc = findLibC()
  if (libc === undefined) throw new Error('the C library cannot be called')
  const middle = libc.address(bytes) + BigInt(bytes.byteLength >> 1)
  const areas = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  const area = areas.find((text) => {
    const [, from = '0', to = '0'] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(text) ?? []
    return BigInt(`0x${from}`) <= middle && middle < BigInt(`0x${to}`)
  })
  return Number(/^Rss: +(\d+) kB/m.exec(area ?? '')?.[1] ?? 0) * 1024
}

test.runIf(findsPages)('pages are found a little ahead of what is written, and no further', async () => {
  const bytes = new Uint8Array(200 * megabyte)
  // What lies beside it may be in the same area.
  const before = residentBytesOf(bytes)
  const found = (): number => residentBytesOf(bytes) - before
  const tell = touchAhead(bytes)
  await expect.poll(found, { timeout: 30_000 }).toBeGreaterThanOrEqual(32 * megabyte)
  expect(found()).toBeLessThan(60 * megabyte)
  tell(60 * megabyte)
  await expect.poll(found, { timeout: 30_000 }).toBeGreaterThanOrEqual(60 * megabyte)
  expect(found()).toBeLessThan(120 * megabyte)
  expect(bytes.findIndex((byte) => byte !== 0)).toBe(-1)
})

test('what is written stays while pages are found around it', async () => {
  const bytes = new Uint8Array(40 * megabyte + 3)
  const tell = touchAhead(bytes)
  for (let at = 0; at < bytes.byteLength; at += megabyte) {
    bytes.fill(at / megabyte + 1, at, at + megabyte)
    tell(Math.min(at + megabyte, bytes.byteLength))
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (let at = 0; at < bytes.byteLength; at += 1_000_003) expect(bytes[at]).toBe(Math.floor(at / megabyte) + 1)
})

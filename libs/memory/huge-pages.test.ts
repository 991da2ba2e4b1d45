import { readFileSync } from 'node:fs'

import { address } from 'koffi'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

beforeEach(() => vi.resetModules())
afterEach(() => vi.unstubAllEnvs())

/** Whether the system was asked for huge pages for the middle of this memory. */
function isAsked(bytes: Uint8Array): boolean {
  const middle = address(bytes) + BigInt(bytes.byteLength >> 1)
  const areas = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  const area = areas.find((text) => {
    const [, from = '0', to = '0'] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(text) ?? []
    return BigInt(`0x${from}`) <= middle && middle < BigInt(`0x${to}`)
  })
  return /^VmFlags:.* hg( |$)/m.test(area ?? '')
}

async function allocate(byteLength: number): Promise<Uint8Array> {
  const { allocateLarge } = await import('./huge-pages.js')
  const { wholeOf } = await import('./bytes.js')
  return wholeOf(allocateLarge(byteLength))
}

test.runIf(process.platform === 'linux')('the system is asked for huge pages for large memory', async () => {
  vi.stubEnv('GLIBC_TUNABLES', '')
  const large = await allocate(64 * 2 ** 20)
  expect(isAsked(large)).toBe(true)
  expect(large.findIndex((byte) => byte !== 0)).toBe(-1)
})

test.each([0, 1, 4 * 2 ** 20 - 1, 4 * 2 ** 20, 5 * 2 ** 20 + 3])(
  '%d bytes are as many, and zeros',
  async (byteLength) => {
    vi.stubEnv('GLIBC_TUNABLES', '')
    const bytes = await allocate(byteLength)
    expect(bytes.byteLength).toBe(byteLength)
    expect(bytes.findIndex((byte) => byte !== 0)).toBe(-1)
  },
)

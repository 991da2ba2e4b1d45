import { spawnSync } from 'node:child_process'
import fs, { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'
import { afterEach, expect, test, vi } from 'vitest'

import type { TransferFrame } from '#libs/proto'

import { slots } from './limits.js'
import {
  bytesOf,
  connectPair,
  fingerprint,
  getBody,
  MemoryHost,
  objectOf,
  type PairOptions,
  quiesce,
  sourceOf,
} from './pair.fixture.js'
import { createSharedFile, openSharedFile, sweepSharedFiles } from './shared-file.js'
import { SharedMemory } from './shared-memory.js'

type Frame = NonNullable<TransferFrame['frame']>

const body = bytesOf(20 * 2 ** 20 + 5)
const hasSharedMemory = existsSync('/dev/shm')
if (!hasSharedMemory) {
  process.stderr.write('SKIPPED: tests of shared memory between processes, because this system has no /dev/shm\n')
}
const ownFiles = (): string[] =>
  readdirSync('/dev/shm').filter((name) => name.startsWith(`costate-bulk-${process.pid}-`))

afterEach(() => vi.unstubAllEnvs())

function setUp(tamper: Omit<PairOptions, 'host'> = {}) {
  const host = new MemoryHost()
  host.bodies.set('object x', body)
  const seen: Frame[] = []
  const see = (way: 'up' | 'down') => (frame: Frame, transferId: number) => {
    seen.push(frame)
    return tamper[way]?.(frame, transferId) ?? frame
  }
  const pair = connectPair({ host, up: see('up'), down: see('down') })
  const sharedBytes = (): number =>
    seen.reduce((sum, frame) => sum + (frame.$case === 'chunk' ? (frame.value.shared?.byteLength ?? 0) : 0), 0)
  const put = (id: string): Promise<unknown> =>
    pair.stream.put(objectOf(id), sourceOf(body), { requestId: randomUUID() })
  return { host, ...pair, seen, sharedBytes, put }
}

test.runIf(hasSharedMemory)(
  'on one host most of a large body goes through shared memory, both ways, without a name',
  async () => {
    const { stream, host, put, sharedBytes } = setUp()
    expect(fingerprint(await getBody(stream, 'x'))).toBe(fingerprint(body))
    expect(sharedBytes()).toBeGreaterThan(body.byteLength * 0.9)
    await put('y')
    expect(fingerprint(host.bodies.get('object y'))).toBe(fingerprint(body))
    expect(sharedBytes()).toBeGreaterThan(2 * body.byteLength * 0.9)
    expect(ownFiles()).toEqual([])
    stream.close()
  },
)

test.runIf(hasSharedMemory)('transfers beside each other share the slots', async () => {
  const { stream } = setUp()
  const got = await Promise.all(Array.from({ length: 6 }, () => getBody(stream, 'x')))
  expect(new Set(got.map(fingerprint))).toEqual(new Set([fingerprint(body)]))
  stream.close()
})

test.runIf(hasSharedMemory)('transfers that are cancelled give their slots back', async () => {
  const { stream } = setUp()
  for (let round = 0; round < 2 * slots; round++) {
    const abort = new AbortController()
    const getting = getBody(stream, 'x', { signal: abort.signal })
    await quiesce()
    abort.abort()
    await getting.catch(() => undefined)
  }
  expect(fingerprint(await getBody(stream, 'x'))).toBe(fingerprint(body))
  stream.close()
})

test.runIf(hasSharedMemory)('bytes that change in shared memory are found by the digest', async () => {
  const { stream } = setUp({
    down: (frame) => {
      if (frame.$case !== 'chunk' || !frame.value.shared || frame.value.offset < 8 * 2 ** 20) return frame
      // As if another chunk had been written over it.
      return {
        ...frame,
        value: { ...frame.value, shared: { ...frame.value.shared, slot: (frame.value.shared.slot + 1) % slots } },
      }
    },
  })
  await expect(getBody(stream, 'x')).rejects.toMatchObject({ code: Status.DATA_LOSS })
  stream.close()
})

test.each<[string, (frame: Frame) => Frame | readonly Frame[]]>([
  ['cannot open the file', (frame) => renamed(frame)],
  ['does not know of such offers', (frame) => (frame.$case === 'sharedMemoryOffer' ? [] : frame)],
])('when the other end %s the body comes in the frames', async (_, down) => {
  const { stream, sharedBytes } = setUp({ down })
  expect(fingerprint(await getBody(stream, 'x'))).toBe(fingerprint(body))
  expect(sharedBytes()).toBe(0)
  stream.close()
  await quiesce()
  expect(hasSharedMemory ? ownFiles() : []).toEqual([])
})

function renamed(frame: Frame): Frame {
  if (frame.$case !== 'sharedMemoryOffer') return frame
  return { ...frame, value: { ...frame.value, name: `costate-bulk-1-${randomUUID()}` } }
}

test('it can be switched off', async () => {
  vi.stubEnv('COSTATE_SHARED_MEMORY', 'off')
  const { stream, seen } = setUp()
  expect(fingerprint(await getBody(stream, 'x'))).toBe(fingerprint(body))
  expect(seen.some(({ $case }) => $case === 'sharedMemoryOffer')).toBe(false)
  stream.close()
})

test.runIf(hasSharedMemory)('shared memory that fills up is left, and the chunk goes in the frames', async () => {
  const said: Frame[] = []
  const memory = new SharedMemory((frame) => said.push(frame))
  memory.offer()
  memory.take({ $case: 'sharedMemoryAnswer', value: { accepted: true } })
  const slot = await memory.takeSlot()
  expect(memory.write(slot ?? -1, Buffer.alloc(8))).toBe(true)
  const waiting = Promise.all(Array.from({ length: slots }, () => memory.takeSlot()))
  vi.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
    throw new Error('ENOSPC: no space left on device, write')
  })
  expect(memory.write(slot ?? -1, Buffer.alloc(16))).toBe(false)
  expect(memory.isOpen).toBe(false)
  expect((await waiting).filter((one) => one === undefined)).toHaveLength(1)
})

test.runIf(hasSharedMemory)('slots that the other end never had are not taken back from it', async () => {
  const memory = new SharedMemory(() => undefined)
  memory.offer()
  memory.take({ $case: 'sharedMemoryAnswer', value: { accepted: true } })
  memory.take({ $case: 'sharedSlotsRead', value: { slots: [0, 0, 1, slots, 4_000_000_000] } })
  const taken = new Set(await Promise.all(Array.from({ length: slots }, () => memory.takeSlot())))
  expect(taken.size).toBe(slots)
  memory.close()
})

test.runIf(hasSharedMemory)('a file is its user’s alone, and only such a file is opened', () => {
  const file = createSharedFile()
  expect(file && statSync(`/dev/shm/${file.name}`).mode & 0o777).toBe(0o600)
  const peer = openSharedFile(file?.name ?? '')
  file?.unlink()
  expect(ownFiles()).toEqual([])
  file?.write(3, Buffer.from('costate'))
  const read = Buffer.alloc(7)
  peer?.read(3, read)
  expect(read.toString()).toBe('costate')
  expect(() => peer?.read(7, read)).toThrow('shared memory ends in slot 7')
  for (const end of [file, peer]) end?.close()
  const open = `costate-bulk-${process.pid}-${randomUUID()}`
  writeFileSync(`/dev/shm/${open}`, '', { mode: 0o644 })
  expect([open, '../../etc/passwd', `costate-bulk-1-${randomUUID()}`].map(openSharedFile)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  rmSync(`/dev/shm/${open}`)
})

test.runIf(hasSharedMemory)('what a process left that died before the answer is swept, and nothing else', () => {
  const { pid: gone } = spawnSync(process.execPath, ['-e', ''])
  const nowMs = Date.now()
  const leave = (pid: number, ageMs: number): string => {
    const file = `/dev/shm/costate-bulk-${pid}-${randomUUID()}`
    writeFileSync(file, '', { mode: 0o600 })
    utimesSync(file, (nowMs - ageMs) / 1000, (nowMs - ageMs) / 1000)
    return file
  }
  const files = [leave(gone, 120_000), leave(gone, 1_000), leave(process.pid, 120_000)]
  sweepSharedFiles(nowMs)
  expect(files.map((file) => existsSync(file))).toEqual([false, true, true])
  for (const file of files) rmSync(file, { force: true })
})

test.each([
  ['in frames', () => void vi.stubEnv('COSTATE_SHARED_MEMORY', 'off')],
  ['through shared memory', () => undefined],
  [
    'through shared memory that fills up',
    () =>
      void vi.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
        throw new Error('ENOSPC')
      }),
  ],
])('pieces that come in the same memory one after the other arrive as they were: %s', async (_, arrange) => {
  arrange()
  const { host, stream } = setUp()
  const memory = Buffer.alloc(700_000)
  const source = {
    header: sourceOf(body).header,
    reusesMemory: true,
    read: function* () {
      for (let start = 0; start < body.byteLength; start += memory.byteLength) {
        const piece = body.subarray(start, start + memory.byteLength)
        memory.set(piece)
        yield memory.subarray(0, piece.byteLength)
        memory.fill(0xee)
      }
    },
  }
  await stream.put(objectOf('z'), source, { requestId: randomUUID() })
  expect(fingerprint(host.bodies.get('object z'))).toBe(fingerprint(body))
  vi.restoreAllMocks()
})

import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'

import { Status } from 'nice-grpc-common'
import { afterEach, describe, expect, test, vi } from 'vitest'

import { findLibC, findReusedMemory, type UnseenMemory } from '#libs/memory'
import type { LentMemory, TransferFrame, TransferOpen } from '#libs/proto'

import { CutPuts } from './cut-puts.js'
import type { TransferHost } from './endpoint.js'
import { borrow, lend } from './lent-memory.js'
import { initialCreditBytes } from './limits.js'
import { createUnseenSink, type UnseenSink } from './memory-sink.js'
import { bytesOf, connectPair, fingerprint, MemoryHost, objectOf, type PairOptions, sourceOf } from './pair.fixture.js'
import { peerOn } from './pool.js'
import { SharedMemory } from './shared-memory.js'
import { tokenBytes } from './slot-marks.js'
import { nameOf } from './target-name.js'

type Frame = NonNullable<TransferFrame['frame']>

const libc = findLibC()
const own = new Uint8Array(new ArrayBuffer(2 ** 12))
const isAllowed =
  existsSync('/dev/shm') && (libc?.readFrom(process.pid, libc.address(own), own.subarray(8, 16)) ?? false)
if (!isAllowed) {
  process.stderr.write('SKIPPED: tests of lent memory, because this system lets no process write to another\n')
}
const body = bytesOf(20 * 2 ** 20 + 5)

afterEach(() => vi.restoreAllMocks())

/** A worker's memory: bodies come into what can be lent. */
class LendingHost implements TransferHost {
  readonly bodies = new Map<string, UnseenMemory>()
  readonly sinks: UnseenSink[] = []
  readonly cutPuts = new CutPuts({ mostBytes: 2 ** 30, keepMs: 60_000 })

  openSource(): Promise<never> {
    return Promise.reject(new Error('nothing is got here'))
  }

  openSink(open: TransferOpen, header: { byteLength: bigint }): Promise<UnseenSink> {
    const sink = createUnseenSink(header, (memory) => void this.bodies.set(nameOf(open), memory))
    if (sink === undefined) return Promise.reject(new Error('no memory'))
    this.sinks.push(sink)
    return Promise.resolve(sink)
  }

  fingerprintOf(id: string): string {
    return fingerprint(this.bodies.get(`object ${id}`)?.own)
  }
}

/** A stream to such a worker, and how its bodies went. */
function setUp({ host, up, down }: PairOptions) {
  const bytesOver = { frames: 0, slots: 0, lent: 0 }
  const see = (frame: Frame, transferId: number): Frame | readonly Frame[] => {
    if (frame.$case === 'chunk') {
      const { data, shared } = frame.value
      bytesOver.frames += data.byteLength
      bytesOver[shared?.isLent ? 'lent' : 'slots'] += shared?.byteLength ?? 0
    }
    return up?.(frame, transferId) ?? frame
  }
  const { stream, cut } = connectPair({ host, up: see, ...(down && { down }) })
  const put = (options: { signal?: AbortSignal } = {}): Promise<unknown> =>
    stream.put(objectOf('x'), sourceOf(body), { requestId: randomUUID(), ...options })
  return { stream, cut, put, bytesOver }
}

const lentAs = (change: (lent: LentMemory) => LentMemory) => (frame: Frame) =>
  frame.$case === 'credit' && frame.value.lent
    ? { ...frame, value: { ...frame.value, lent: change(frame.value.lent) } }
    : frame

describe.runIf(isAllowed)('memory that is lent to who puts', () => {
  test('what is put is written where it belongs by its sender, time after time', async () => {
    const host = new LendingHost()
    const { put, bytesOver, stream } = setUp({ host })
    for (let round = 1; round <= 3; round++) {
      await put()
      expect(host.fingerprintOf('x')).toBe(fingerprint(body))
      host.bodies.get('object x')?.close()
      // All but what is sent before the other end has said anything.
      expect(bytesOver.lent).toBeGreaterThanOrEqual(round * (body.byteLength - initialCreditBytes))
    }
    stream.close()
  })

  test.each<[string, (lent: LentMemory) => LentMemory]>([
    ['by somebody who cannot write into memory of this host', (lent) => ({ ...lent, token: randomBytes(tokenBytes) })],
    ['where it does not lie', (lent) => ({ ...lent, address: lent.address + 64n })],
    ['in a process that is none', (lent) => ({ ...lent, processId: 2 ** 22 + 1 })],
  ])('memory that is offered %s is not written to, and the body comes all the same', async (_, change) => {
    const host = new LendingHost()
    const { put, bytesOver, stream } = setUp({ host, down: lentAs(change) })
    await put()
    expect(host.fingerprintOf('x')).toBe(fingerprint(body))
    expect(bytesOver.lent).toBe(0)
    stream.close()
  })

  test('when no more can be written there the rest comes in another way', async () => {
    const borrowed = vi.spyOn(SharedMemory.prototype, 'borrow')
    borrowed.mockImplementation((lent, byteLength) => {
      const memory = borrow(lent, byteLength)
      let writes = 0
      // The second is written in half.
      return (
        memory && {
          write: (offset, data, see) => {
            if (++writes !== 2) return memory.write(offset, data, see)
            memory.write(offset, data.subarray(0, data.byteLength / 2))
            see?.(data)
            return false
          },
        }
      )
    })
    const host = new LendingHost()
    const { put, bytesOver, stream } = setUp({ host })
    await put()
    expect(host.fingerprintOf('x')).toBe(fingerprint(body))
    expect(bytesOver.lent).toBeGreaterThan(0)
    expect(bytesOver.lent).toBeLessThan(body.byteLength / 2)
    stream.close()
  })

  test('what is written there wrong is found by the digest', async () => {
    const host = new LendingHost()
    const { put, stream } = setUp({
      host,
      up: (frame) => {
        const isLent = frame.$case === 'chunk' && frame.value.shared?.isLent
        const bytes = isLent ? host.sinks[0]?.memory.own : undefined
        if (bytes && frame.$case === 'chunk') bytes[Number(frame.value.offset)]! ^= 1
        return frame
      },
    })
    await expect(put()).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'DIGEST_MISMATCH' })
    expect(host.bodies.size).toBe(0)
    stream.close()
  })

  test('memory of a put that is given up is nobody’s, however late its sender writes', async () => {
    const host = new LendingHost()
    const giveUp = new AbortController()
    const { put, stream } = setUp({
      host,
      up: (frame) => {
        if (frame.$case === 'chunk' && frame.value.shared?.isLent) giveUp.abort()
        return frame
      },
    })
    await expect(put({ signal: giveUp.signal })).rejects.toMatchObject({ code: Status.CANCELLED })
    const { at } = host.sinks[0]!.memory
    await expect.poll(() => libc?.writeTo(process.pid, at, own), { timeout: 60_000 }).toBe(false)
    const next = findReusedMemory()?.takeUnseen(body.byteLength)
    expect(next?.at).not.toBe(at)
    next?.close()
    stream.close()
  })

  test('a put that loses its stream goes on in the same memory', async () => {
    const host = new LendingHost()
    let cuts = 0
    let lentBytes = 0
    let pair: ReturnType<typeof connectPair> | undefined
    const up = (frame: Frame): Frame => {
      if (frame.$case !== 'chunk' || !frame.value.shared?.isLent) return frame
      lentBytes += frame.value.shared.byteLength
      if (frame.value.offset > 8 * 2 ** 20 && cuts++ === 0) pair?.cut()
      return frame
    }
    const peer = peerOn(
      () => (pair?.stream.broken === false ? pair : (pair = connectPair({ host, up }))).stream,
      () => Promise.resolve(),
    )
    await peer.put(objectOf('x'), sourceOf(body), { requestId: randomUUID() })
    expect(host.fingerprintOf('x')).toBe(fingerprint(body))
    expect([cuts > 0, host.sinks.length]).toEqual([true, 1])
    // Nearly all of it, on both.
    expect(lentBytes).toBeGreaterThan(body.byteLength / 2)
    pair?.stream.close()
  })

  test('who puts is lent nothing where memory must not be shared', async () => {
    vi.stubEnv('COSTATE_SHARED_MEMORY', 'off')
    const host = new LendingHost()
    const { put, bytesOver, stream } = setUp({ host })
    await put()
    expect(host.fingerprintOf('x')).toBe(fingerprint(body))
    expect(bytesOver).toEqual({ frames: body.byteLength, slots: 0, lent: 0 })
    stream.close()
    vi.unstubAllEnvs()
  })

  test('memory that was given back cannot be written to any more', () => {
    const memory = findReusedMemory()?.takeUnseen(body.byteLength) as UnseenMemory
    const borrowed = borrow(lend(memory, randomBytes(tokenBytes)), memory.byteLength)
    expect(borrowed?.write(8, own)).toBe(true)
    memory.bar()
    const seen: number[] = []
    expect(borrowed?.write(8, own, (piece) => seen.push(piece.byteLength))).toBe(false)
    // Its digest goes on: it comes in another way.
    expect(seen).toEqual([own.byteLength])
  })
})

test('a chunk that is said to lie in memory that nobody lent is refused', async () => {
  const host = new MemoryHost()
  const { stream, put } = setUp({
    host,
    up: (frame) =>
      frame.$case === 'chunk'
        ? {
            ...frame,
            value: {
              ...frame.value,
              data: Buffer.alloc(0),
              shared: { slot: 0, byteLength: frame.value.data.byteLength, isLent: true },
            },
          }
        : frame,
  })
  await expect(put()).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT, reason: 'NOT_LENT' })
  expect(host.sinksOpen).toBe(0)
  stream.close()
})

test('who gets lends nothing, whatever its memory: another may send the rest', async () => {
  const host = new MemoryHost()
  host.bodies.set('object x', body)
  const credits: (LentMemory | undefined)[] = []
  const { stream } = setUp({
    host,
    up: (frame) => {
      if (frame.$case === 'credit') credits.push(frame.value.lent)
      return frame
    },
  })
  const arrived = new LendingHost()
  await stream.get(objectOf('x'), (header) => arrived.openSink({ target: objectOf('x') } as TransferOpen, header))
  expect(arrived.fingerprintOf('x')).toBe(fingerprint(body))
  expect(new Set(credits)).toEqual(new Set([undefined]))
  stream.close()
})

import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MessageChannel } from 'node:worker_threads'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { findLibC } from './libc.js'
import { ReusedMemory } from './reused-memory.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const megabyte = 2 ** 20
const libc = findLibC()

describe.runIf(libc)('memory that is used again', () => {
  let nowMs = 0
  let memory: ReusedMemory
  beforeEach(() => {
    nowMs = 0
    memory = new ReusedMemory(
      libc as NonNullable<typeof libc>,
      { mostIdleBytes: 64 * megabyte, idleMs: 1_000 },
      () => nowMs,
    )
  })
  afterEach(() => memory.drop())

  const take = (byteLength: number): { bytes: Uint8Array<ArrayBuffer>; isWarm: boolean } => {
    const taken = memory.take(byteLength)
    if (taken === undefined) throw new Error(`no memory of ${byteLength} bytes`)
    return taken
  }
  /** Where memory lies that nobody has any more when this is over. */
  const useOnce = (byteLength: number): bigint => {
    const { bytes } = take(byteLength)
    bytes.fill(7)
    return (libc as NonNullable<typeof libc>).address(bytes)
  }
  const addressOf = (bytes: Uint8Array): bigint => (libc as NonNullable<typeof libc>).address(bytes)
  /** Collects until so much lies idle: who is told of what is gone hears it later. */
  const expectIdle = async (byteLength: number): Promise<void> => {
    await expect
      .poll(
        () => {
          collect()
          return memory.idleBytes
        },
        { timeout: 60_000 },
      )
      .toBe(byteLength)
  }

  test('who comes next gets what nobody has any more, as long as he wants it', async () => {
    const at = useOnce(20 * megabyte + 8)
    await expectIdle(22 * megabyte)
    const { bytes, isWarm } = take(19 * megabyte)
    expect([addressOf(bytes), bytes.byteLength, isWarm]).toEqual([at, 19 * megabyte, true])
    expect(memory.idleBytes).toBe(0)
  })

  test('what somebody has a part of stays his', async () => {
    const held = take(20 * megabyte)
      .bytes.subarray(100, 200)
      .fill(5)
    useOnce(20 * megabyte)
    await expectIdle(20 * megabyte)
    const others = [take(20 * megabyte), take(20 * megabyte)].map(({ bytes }) => bytes.fill(1))
    expect(others.map(({ buffer }) => buffer)).not.toContain(held.buffer)
    expect([...new Set(held)]).toEqual([5])
  })

  test('a buffer that was made ahead is that of one, and not of two', async () => {
    const at = useOnce(20 * megabyte)
    await expectIdle(20 * megabyte)
    await expect.poll(() => memory.isPrepared, { timeout: 60_000 }).toBe(true)
    const [first, second] = [take(20 * megabyte), take(20 * megabyte)]
    expect([addressOf(first.bytes), first.isWarm, second.isWarm]).toEqual([at, true, false])
    first.bytes.fill(1)
    second.bytes.fill(2)
    expect(new Set(first.bytes)).toEqual(new Set([1]))
  })

  test('what is much longer than what is wanted is left for others', async () => {
    useOnce(40 * megabyte)
    await expectIdle(40 * megabyte)
    expect(take(8 * megabyte).isWarm).toBe(false)
    expect(take(36 * megabyte).isWarm).toBe(true)
  })

  const takeUnseen = (byteLength: number) => {
    const taken = memory.takeUnseen(byteLength)
    if (taken === undefined) throw new Error(`no memory of ${byteLength} bytes`)
    return taken
  }

  test('what nobody has seen is the next one’s as soon as it is closed', () => {
    const first = takeUnseen(20 * megabyte)
    const at = addressOf(first.own.fill(1))
    first.close()
    first.close()
    expect(memory.idleBytes).toBe(20 * megabyte)
    expect(() => first.own).toThrow('given back')
    expect(() => first.bytes).toThrow('given back')
    const second = takeUnseen(19 * megabyte)
    expect([addressOf(second.own), second.own.byteLength, second.isWarm]).toEqual([at, 19 * megabyte, true])
    expect(memory.idleBytes).toBe(0)
  })

  test('what somebody has seen stays his as long as he has it', async () => {
    const unseen = takeUnseen(20 * megabyte)
    unseen.own.fill(5)
    const seen = unseen.bytes.subarray(100, 200)
    expect([unseen.bytes.byteLength, unseen.bytes.buffer === seen.buffer]).toEqual([20 * megabyte, true])
    unseen.close()
    useOnce(20 * megabyte)
    await expectIdle(20 * megabyte)
    for (const { own } of [takeUnseen(20 * megabyte), takeUnseen(20 * megabyte)]) own.fill(1)
    expect([...new Set(seen)]).toEqual([5])
  })

  test('what was seen is the next one’s when nobody has it any more', async () => {
    const seeOnce = (): bigint => {
      const unseen = takeUnseen(20 * megabyte)
      const at = addressOf(unseen.bytes.fill(1))
      unseen.close()
      return at
    }
    const at = seeOnce()
    await expectIdle(20 * megabyte)
    expect(addressOf(takeUnseen(20 * megabyte).own)).toBe(at)
  })

  test('what another process may still write to is nobody’s, seen or not', async () => {
    const unseen = takeUnseen(20 * megabyte)
    const seen = takeUnseen(30 * megabyte)
    const barred = [addressOf(unseen.own.fill(1)), addressOf(seen.bytes.fill(1))]
    unseen.bar()
    unseen.bar()
    seen.bar()
    expect(() => unseen.own).toThrow('given back')
    expect(memory.idleBytes).toBe(0)
    // Who has seen it reads there as long as he wants.
    expect(new Set(seen.bytes)).toEqual(new Set([1]))
    useOnce(40 * megabyte)
    await expectIdle(40 * megabyte)
    const next = [takeUnseen(20 * megabyte), takeUnseen(30 * megabyte)]
    for (const { at } of next) expect(barred).not.toContain(at)
    expect(next[1]?.isWarm).toBe(false)
  })

  test('who was stopped in the middle of a write and goes on an hour later writes to nothing', () => {
    const writeTo = (at: bigint): boolean | undefined => libc?.writeTo(process.pid, at, new Uint8Array(8))
    vi.useFakeTimers()
    try {
      const unseen = takeUnseen(20 * megabyte)
      expect(writeTo(unseen.at)).toBe(true)
      unseen.bar()
      vi.advanceTimersByTime(3_600_000)
      const next = Array.from({ length: 4 }, () => takeUnseen(20 * megabyte))
      expect(next.map(({ at }) => at)).not.toContain(unseen.at)
      expect(writeTo(unseen.at)).toBe(false)
      for (const each of next) each.close()
    } finally {
      vi.useRealTimers()
    }
  })

  test('addresses that are nobody’s are not all that there are', () => {
    const reservedBytes = (): number =>
      Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
    const before = reservedBytes()
    for (let k = 0; k < 300; k++) takeUnseen(2 ** 30).bar()
    const added = reservedBytes() - before
    expect(added).toBeGreaterThan(200 * 2 ** 30)
    expect(added).toBeLessThan(290 * 2 ** 30)
  })

  test('short bodies take other memory', () => {
    expect(memory.take(megabyte)).toBeUndefined()
  })

  test('no more is kept than is said, nor longer', async () => {
    useOnce(40 * megabyte)
    await expectIdle(40 * megabyte)
    useOnce(30 * megabyte)
    // Both would be more: the one that was left first is gone.
    await expectIdle(30 * megabyte)
    nowMs = 1_000
    memory.limit({ mostIdleBytes: 64 * megabyte, idleMs: 1_000 })
    expect(memory.idleBytes).toBe(0)
    expect(take(30 * megabyte).isWarm).toBe(false)
  })

  test('it stays in its thread', () => {
    const { bytes } = take(8 * megabyte)
    bytes.fill(3)
    const { port1, port2 } = new MessageChannel()
    try {
      port1.postMessage(bytes, [bytes.buffer])
    } catch {
      // Newer versions of Node refuse instead of copying.
    }
    port1.close()
    port2.close()
    expect(bytes.byteLength).toBe(8 * megabyte)
    expect(bytes.at(-1)).toBe(3)
  })
})

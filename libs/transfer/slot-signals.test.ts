import fs, { existsSync } from 'node:fs'

import { afterEach, describe, expect, test, vi } from 'vitest'

import { findLibC } from '#libs/memory'
import type { TransferFrame } from '#libs/proto'

import { slots } from './limits.js'
import { quiesce } from './pair.fixture.js'
import { SharedMemory } from './shared-memory.js'

type Frame = NonNullable<TransferFrame['frame']>

const chunk = Buffer.alloc(300_000, 'costate')

/** Two ends that share memory; what the reader says of slots is kept from the writer. */
function shareMemory(): { writer: SharedMemory; reader: SharedMemory; unheard: Frame[] } {
  const unheard: Frame[] = []
  const reader: SharedMemory = new SharedMemory((frame) => {
    if (frame.$case === 'sharedMemoryAnswer') writer.take(frame)
    else unheard.push(frame)
  })
  const writer: SharedMemory = new SharedMemory((frame) => reader.take(frame))
  writer.offer()
  ends.push(writer, reader)
  return { writer, reader, unheard }
}

const ends: SharedMemory[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const end of ends.splice(0)) end.close()
})

async function take(writer: SharedMemory): Promise<number> {
  const slot = await writer.takeSlot()
  if (slot === undefined) throw new Error('there is no slot')
  return slot
}

/** A slot that was written and read once: it has its pages. */
async function useSlot({ writer, reader }: ReturnType<typeof shareMemory>): Promise<number> {
  const slot = await take(writer)
  expect(writer.canSayAhead(slot, chunk.byteLength)).toBe(false)
  expect(writer.write(slot, chunk)).toBe(true)
  reader.leaveRead(slot)
  expect(await take(writer)).toBe(slot)
  expect(writer.canSayAhead(slot, chunk.byteLength)).toBe(true)
  return slot
}

const isNeverOver = (): boolean => false

describe.runIf(existsSync('/dev/shm') && findLibC())('ends that see what the other one does', () => {
  test('slots that were read are taken again before a frame says so', async () => {
    const { writer, reader } = shareMemory()
    for (let round = 0; round < 3; round++) {
      const taken = await Promise.all(Array.from({ length: slots }, () => take(writer)))
      for (const slot of taken) writer.write(slot, chunk)
      const next = take(writer)
      reader.leaveRead(taken[1] ?? -1)
      expect(await next).toBe(taken[1])
      writer.leaveSlot(taken[1] ?? -1)
      for (const slot of taken) if (slot !== taken[1]) reader.leaveRead(slot)
    }
  })

  test('a frame that says late what was read frees nothing that was written since', async () => {
    const memory = shareMemory()
    const { writer, unheard } = memory
    const slot = await useSlot(memory)
    writer.write(slot, chunk)
    for (const frame of unheard) writer.take(frame)
    const others = await Promise.all(Array.from({ length: slots - 1 }, () => take(writer)))
    expect(others).not.toContain(slot)
  })

  test('a chunk that is said to be there before it is, is waited for', async () => {
    const memory = shareMemory()
    const { writer, reader } = memory
    const slot = await useSlot(memory)
    const slice = { slot, byteLength: chunk.byteLength }
    let isHere = false
    const arrival = reader.arrival(slot, isNeverOver).then((arrived) => (isHere = arrived))
    await quiesce()
    expect(isHere).toBe(false)
    const body = Buffer.alloc(chunk.byteLength, 'another')
    const seen: Uint8Array[] = []
    writer.write(slot, body, (piece) => seen.push(piece))
    expect(await arrival).toBe(true)
    const into = Buffer.alloc(chunk.byteLength)
    const read: Uint8Array[] = []
    reader.read(slice, into, (piece) => read.push(piece))
    expect(into.equals(body)).toBe(true)
    expect([Buffer.concat(seen).equals(body), Buffer.concat(read).equals(body)]).toEqual([true, true])
  })

  test('who waits for one that never comes goes when the transfer is over', async () => {
    const memory = shareMemory()
    const slot = await useSlot(memory)
    let isOver = false
    const arrival = memory.reader.arrival(slot, () => isOver)
    await quiesce()
    isOver = true
    expect(await arrival).toBe(false)
  })

  test('what has not come when the stream ends is not there: it was lost with the stream, not damaged', async () => {
    const memory = shareMemory()
    const slot = await useSlot(memory)
    const arrival = memory.reader.arrival(slot, isNeverOver)
    await quiesce()
    memory.reader.close()
    expect(await arrival).toBe(false)
  })

  test('an offer that comes after the end opens nothing', () => {
    const said: Frame[] = []
    const reader = new SharedMemory((frame) => said.push(frame))
    const writer = new SharedMemory((frame) => reader.take(frame))
    ends.push(writer, reader)
    reader.close()
    writer.offer()
    expect(said).toEqual([{ $case: 'sharedMemoryAnswer', value: { accepted: false } }])
    expect(reader.hasIncoming).toBe(false)
  })

  test('what was said ahead is written, also when there is no room for more meanwhile', async () => {
    const memory = shareMemory()
    const { writer, reader } = memory
    const slot = await useSlot(memory)
    const other = await take(writer)
    vi.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
      throw new Error('ENOSPC: no space left on device, write')
    })
    expect(writer.write(other, chunk)).toBe(false)
    expect([writer.isOpen, await writer.takeSlot()]).toEqual([false, undefined])
    expect(writer.write(slot, chunk)).toBe(true)
    expect(await reader.arrival(slot, isNeverOver)).toBe(true)
  })
})

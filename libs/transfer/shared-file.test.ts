import { existsSync, truncateSync } from 'node:fs'

import { expect, test } from 'vitest'

import { slotBytes, slots } from './limits.js'
import { createSharedFile, openSharedFile, type SharedFile } from './shared-file.js'

const hasSharedMemory = existsSync('/dev/shm')

function openBoth(): readonly [SharedFile, SharedFile] {
  const file = createSharedFile()
  const peer = openSharedFile(file?.name ?? '')
  if (file === undefined || peer === undefined) throw new Error('no shared memory')
  return [file, peer]
}

function readFrom(file: SharedFile, slot: number, byteLength: number): string {
  const bytes = Buffer.alloc(byteLength)
  file.read(slot, bytes)
  return bytes.toString()
}

test.runIf(hasSharedMemory)('a slot holds what was written last, shorter or longer than before', () => {
  const [file, peer] = openBoth()
  file.unlink()
  for (const text of ['four', 'more than that', 'two', 'as long as that']) {
    file.write(2, Buffer.from(text))
    expect(readFrom(peer, 2, text.length)).toBe(text)
  }
  const whole = Buffer.alloc(slotBytes, 'costate')
  for (let round = 0; round < 2; round++) file.write(slots - 1, whole)
  const read = Buffer.alloc(slotBytes)
  peer.read(slots - 1, read)
  expect(read.equals(whole)).toBe(true)
  for (const end of [file, peer]) end.close()
})

test.runIf(hasSharedMemory)('more than was ever written is not read, whoever says that it is there', () => {
  const [file, peer] = openBoth()
  file.write(0, Buffer.from('costate'))
  file.write(0, Buffer.from('costate'))
  expect(() => readFrom(peer, 0, 8)).toThrow('shared memory ends in slot 0, after 7 of 8 bytes')
  expect(() => readFrom(peer, 1, 1)).toThrow('shared memory ends in slot 1')
  // As if the other end had another idea of how long a slot is.
  truncateSync(`/dev/shm/${file.name}`, 2 * slots * slotBytes)
  expect(readFrom(peer, slots - 1, slotBytes + 1)).toHaveLength(slotBytes + 1)
  file.unlink()
  for (const end of [file, peer]) end.close()
})

test.runIf(hasSharedMemory)('memory that is closed is not touched', () => {
  const [file, peer] = openBoth()
  file.write(0, Buffer.from('costate'))
  expect(readFrom(peer, 0, 7)).toBe('costate')
  file.unlink()
  for (const end of [file, peer]) {
    end.close()
    end.close()
    expect(() => end.write(0, Buffer.from('costate'))).toThrow('is closed')
    expect(() => readFrom(end, 0, 7)).toThrow('is closed')
  }
})

test.runIf(hasSharedMemory)('memory that is mapped again and again is given back each time', () => {
  for (let round = 0; round < 40; round++) {
    const [file, peer] = openBoth()
    for (let write = 0; write < 2; write++) file.write(round % slots, Buffer.from(`round ${round}`))
    expect(readFrom(peer, round % slots, 7)).toBe(`round ${round}`.slice(0, 7))
    file.unlink()
    for (const end of [file, peer]) end.close()
  }
})

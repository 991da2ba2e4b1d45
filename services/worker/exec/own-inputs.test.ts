import { expect, test } from 'vitest'

import type { InputValue } from '#libs/submission'

import { copyLargeInputs } from './own-inputs.js'

const large = 2 ** 20
const bodyOf = (bytes: Uint8Array, isSpare?: boolean): InputValue => ({
  kind: 'body',
  structure: undefined,
  bytes,
  ...(isSpare === undefined ? {} : { isSpare }),
})

function copy(input: InputValue): { bytes: Uint8Array; buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = []
  const own = copyLargeInputs(new Map([['x', input]]), buffers).get('x')
  return { bytes: own?.kind === 'body' ? own.bytes : new Uint8Array(0), buffers }
}

test('a large input is copied, and the copy is handed over', () => {
  const held = new Uint8Array(large).fill(3)
  const { bytes, buffers } = copy(bodyOf(held))
  expect(buffers).toEqual([bytes.buffer])
  bytes.fill(4)
  expect([held[0], held[large - 1]]).toEqual([3, 3])
})

test('what nobody else needs is handed over as it is', () => {
  const spare = new Uint8Array(large)
  const { bytes, buffers } = copy(bodyOf(spare, true))
  expect([bytes.buffer, ...buffers]).toEqual([spare.buffer, spare.buffer])
  expect(bytes.buffer).toBe(spare.buffer)
})

test('of what is part of a larger buffer a copy is handed over: the rest is not for the task', () => {
  const part = new Uint8Array(large + 8).subarray(8)
  const { bytes } = copy(bodyOf(part, true))
  expect(bytes.buffer).not.toBe(part.buffer)
  expect(bytes.buffer.byteLength).toBe(large)
})

test('what is small, or in memory that tasks share, is left to the message', () => {
  for (const bytes of [new Uint8Array(large - 1), new Uint8Array(new SharedArrayBuffer(large))]) {
    const own = copy(bodyOf(bytes))
    expect(own.bytes).toBe(bytes)
    expect(own.buffers).toEqual([])
  }
})

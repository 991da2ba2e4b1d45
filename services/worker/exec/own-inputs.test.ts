import { expect, test } from 'vitest'

import { wholeOf } from '#libs/memory'
import type { InputValue } from '#libs/submission'

import { copyLargeInputs } from './own-inputs.js'

const large = 2 ** 20
const bodyOf = (bytes: Uint8Array): InputValue => ({ kind: 'body', structure: undefined, bytes })

function copy(input: InputValue): { bytes: Uint8Array; buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = []
  const own = copyLargeInputs(new Map([['x', input]]), buffers).get('x')
  return { bytes: own?.kind === 'body' ? wholeOf(own.bytes) : new Uint8Array(0), buffers }
}

test('a large input is copied, and the copy is handed over', () => {
  const held = new Uint8Array(large).fill(3)
  const { bytes, buffers } = copy(bodyOf(held))
  expect(buffers).toEqual([bytes.buffer])
  bytes.fill(4)
  expect([held[0], held[large - 1]]).toEqual([3, 3])
})

test('what is small, or in memory that tasks share, is left to the message', () => {
  for (const bytes of [new Uint8Array(large - 1), new Uint8Array(new SharedArrayBuffer(large))]) {
    const own = copy(bodyOf(bytes))
    expect(own.bytes.buffer).toBe(bytes.buffer)
    expect(own.buffers).toEqual([])
  }
})

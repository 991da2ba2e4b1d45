import { expect, test, vi } from 'vitest'

import { BatchedObject, BatchMemory } from './batch-memory.js'

/** Ten objects of 8 bytes in one body, whose bytes are their numbers. */
function setUp() {
  const body = new Uint8Array(Float64Array.from({ length: 10 }, (_, k) => k).buffer)
  const giveUp = vi.fn(() => void body.fill(255))
  const memory = new BatchMemory(body, giveUp)
  const objects = Array.from({ length: 10 }, (_, k) => {
    const descriptor = { objectId: `o-${k}`, structure: undefined, byteLength: 8n, xxh64: 0n }
    return new BatchedObject({ memory, piece: body.subarray(k * 8, k * 8 + 8), descriptor })
  })
  return { giveUp, memory, objects }
}

const numbersIn = (objects: readonly BatchedObject[]): number[] =>
  objects.map(({ bytes }) => {
    expect(bytes.buffer.byteLength).toBe(8)
    return new Float64Array(bytes.buffer)[0] as number
  })

test('memory is given up once, with the last object that lies there', () => {
  const { objects, giveUp } = setUp()
  for (const object of objects.slice(1)) object.close()
  expect(giveUp).not.toHaveBeenCalled()
  objects[0]?.close()
  objects[0]?.close()
  expect(giveUp).toHaveBeenCalledTimes(1)
})

test('the bytes of an object are its own: they outlive the memory, and its release', () => {
  const { objects, giveUp } = setUp()
  const seen = objects.slice(0, 3)
  expect(numbersIn(seen)).toEqual([0, 1, 2])
  for (const object of objects) object.close()
  expect(giveUp).toHaveBeenCalledTimes(1)
  expect(numbersIn(seen)).toEqual([0, 1, 2])
  expect(() => objects[5]?.bytes).toThrow('object o-5 was released')
})

test('while somebody reads, nothing is given up', () => {
  const { memory, objects, giveUp } = setUp()
  const [done, doneToo] = [memory.hold(), memory.hold()]
  const piece = objects[4]?.batched?.piece
  for (const object of objects) object.close()
  done()
  done()
  expect(giveUp).not.toHaveBeenCalled()
  expect(piece).toEqual(new Uint8Array(Float64Array.of(4).buffer))
  doneToo()
  expect(giveUp).toHaveBeenCalledTimes(1)
})

test('what is left of a batch moves out when less than half is left for long', () => {
  vi.useFakeTimers()
  try {
    const { objects, giveUp } = setUp()
    for (const object of objects.slice(5)) object.close()
    vi.runAllTimers()
    expect(objects[0]?.batched).toBeDefined()
    objects[4]?.close()
    expect(giveUp).not.toHaveBeenCalled()
    vi.runAllTimers()
    expect(giveUp).toHaveBeenCalledTimes(1)
    expect(numbersIn(objects.slice(0, 4))).toEqual([0, 1, 2, 3])
  } finally {
    vi.useRealTimers()
  }
})

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { wholeOf } from '#libs/memory'
import { Complex128Array, isComplexArray, NdArray, type NumericArray } from '#libs/task'
import { xxh64Of } from '#libs/transfer'
import { copySegments, encodeValue } from '#libs/value'

import { type RemoteArray, streamArray } from './array-stream.js'

/** The value as it lies in a worker's memory, and which ranges of it were brought. */
function remote(value: unknown): RemoteArray & { readonly fetched: number[]; readonly bytes: Uint8Array } {
  const encoded = encodeValue(value, 'the value')
  const bytes = wholeOf(copySegments(encoded))
  const fetched: number[] = []
  return {
    ...{ objectId: 'x', structure: encoded.root, byteLength: encoded.byteLength, xxh64: xxh64Of([bytes]) },
    ...{ bytes, fetched },
    fetch: async ({ start, byteLength }) => {
      fetched.push(byteLength)
      return new Uint8Array(bytes.subarray(start, start + byteLength))
    },
  }
}

function bitsOf(numbers: NumericArray): Buffer {
  const { buffer, byteOffset, byteLength } = isComplexArray(numbers) ? numbers.data : numbers
  return Buffer.from(buffer, byteOffset, byteLength)
}

async function collect(array: RemoteArray, chunkBytes: number): Promise<NumericArray[]> {
  const chunks: NumericArray[] = []
  for await (const chunk of streamArray(array, chunkBytes, 'the result')) chunks.push(chunk)
  return chunks
}

const types = [Float64Array, Float32Array, Int32Array, BigInt64Array, Uint8Array, Uint16Array]
const makers = [
  { elementBytes: 16, over: (buffer: ArrayBuffer): NumericArray => new Complex128Array(new Float64Array(buffer)) },
  ...types.map((Type) => ({
    elementBytes: Type.BYTES_PER_ELEMENT,
    over: (buffer: ArrayBuffer): NumericArray => new Type(buffer),
  })),
]

/** Ranks 0 to 3, empty axes included; any bits. */
const anyArray = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 3 }), fc.constantFrom(...makers), fc.integer())
  .map(([shape, { elementBytes, over }, seed]) => {
    const bytes = new Uint8Array(shape.reduce((product, extent) => product * extent, elementBytes))
    let state = seed
    for (let at = 0; at < bytes.length; at++) bytes[at] = (state = Math.imul(state, 1664525) + 1013904223) >>> 24
    return new NdArray(over(bytes.buffer), shape)
  })

test('an array of any element type and shape comes in pieces that are, together, its elements bit for bit', async () => {
  await fc.assert(
    fc.asyncProperty(anyArray, fc.integer({ min: 16, max: 700 }), async (sent, chunkBytes) => {
      const array = remote(sent)
      const chunks = await collect(array, chunkBytes)
      expect(Buffer.concat(chunks.map(bitsOf)).equals(bitsOf(sent.data))).toBe(true)
      for (const chunk of chunks) expect(chunk.constructor).toBe(sent.data.constructor)
      for (const byteLength of array.fetched) expect(byteLength).toBeLessThanOrEqual(chunkBytes)
    }),
  )
})

test('a few pieces are on their way, and no more than that; who stops has no others brought', async () => {
  const array = remote(new Float64Array(1000))
  const stream = streamArray(array, 80, 'the result')
  for (let taken = 1; taken <= 3; taken++) {
    await stream.next()
    expect(array.fetched).toHaveLength(taken + 2)
  }
  await stream.return(undefined)
  expect(array.fetched).toHaveLength(5)
})

test('the last piece is not given out when they are not, together, what the array is', async () => {
  const array = remote(Float64Array.from({ length: 100 }, (_, k) => k))
  array.bytes[3]! ^= 1
  const lengths: number[] = []
  const reading = (async () => {
    for await (const chunk of streamArray(array, 240, 'the result of f')) lengths.push(chunk.length)
  })()
  await expect(reading).rejects.toMatchObject({
    code: 'DATA_LOSS',
    reason: 'RESULT_DAMAGED',
    message: expect.stringContaining('the result of f') as string,
  })
  expect(lengths).toEqual([30, 30, 30])
})

test('what cannot be brought fails there, and what is no array at once', async () => {
  const array = remote(new Float64Array(100))
  let fetches = 0
  const failing = {
    ...array,
    fetch: (range: { start: number; byteLength: number }) =>
      ++fetches === 4 ? Promise.reject(new Error('gone')) : array.fetch(range),
  }
  const lengths: number[] = []
  const reading = (async () => {
    for await (const chunk of streamArray(failing, 80, 'the result')) lengths.push(chunk.length)
  })()
  await expect(reading).rejects.toThrow('gone')
  expect(lengths).toEqual([10, 10, 10])
  await expect(collect(remote({ a: new Float64Array(3) }), 80)).rejects.toThrow('ask for its result()')
  await expect(collect(remote(new Complex128Array(3)), 15)).rejects.toThrow('an element has 16 bytes')
})

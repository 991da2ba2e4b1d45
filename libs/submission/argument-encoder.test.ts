import { expect, test } from 'vitest'

import type { Bytes } from '#libs/memory'
import { Payload, type Reference } from '#libs/proto'
import { Complex128Array, NdArray, ScatteredObject, shared, type Codec, type Job } from '#libs/task'
import { decodeValue, inspectValue } from '#libs/value'

import { createArgumentEncoder } from './argument-encoder.js'

/** What a worker makes of the arguments. */
function decode(input: Uint8Array, blobs: ReadonlyMap<string, { readonly bytes: Bytes }>): unknown {
  const { root, body } = Payload.decode(input)
  const resolve = ({ target }: Reference): unknown => {
    if (target?.$case !== 'blob') return `the object ${target?.value}`
    return decodeValue(target.value.structure, blobs.get(target.value.digest)?.bytes ?? Buffer.alloc(0))
  }
  return decodeValue(root, body, { resolve })
}

const manyArrays = () => Array.from({ length: 100 }, (_, i) => new Float64Array(3_000).fill(i))

test('an argument that holds many small arrays goes into one blob', () => {
  const encoder = createArgumentEncoder({ job: {} as Job })
  const arg = { grids: manyArrays(), name: 'grids' }
  const input = encoder.encode([1, arg], 'solve')
  expect(input.byteLength).toBeLessThan(2 ** 17)
  expect(encoder.blobs.size).toBe(1)
  expect(decode(input, encoder.blobs)).toEqual([1, arg])
})

test.each([
  ['a long text', 'x'.repeat(20_000_000)],
  ['many texts', Array.from({ length: 200_000 }, (_, i) => `name ${i}`)],
])('%s is refused at once, by the number of the argument', (_, arg) => {
  const encode = () => createArgumentEncoder({ job: {} as Job }).encode([1, arg], 'solve')
  expect(encode).toThrow(RangeError)
  expect(encode).toThrow(/^argument 1 of task solve takes \d+\.\d MB .* may take 1 MiB: pass numbers as typed arrays/)
})

test('what refers to the mesh stays where the mesh sees it', () => {
  const grid = new ScatteredObject('o-1', { byteLength: 8, workerIds: [] }, {} as never)
  const encode = () => createArgumentEncoder({ job: {} as Job }).encode([{ grid, arrays: manyArrays() }], 'solve')
  expect(encode).toThrow('argument 0 of task solve takes 2.4 MB')
  const encoder = createArgumentEncoder({ job: {} as Job })
  expect(decode(encoder.encode([grid, manyArrays()], 'solve'), encoder.blobs)).toEqual(['the object o-1', manyArrays()])
})

/** What the arguments refer to, and whether the task shares it. */
function referencesIn(input: Uint8Array): [target: string | undefined, shared: boolean][] {
  const { root, body } = Payload.decode(input)
  const found: [string | undefined, boolean][] = []
  inspectValue(root, body.byteLength, ({ target, shared: isShared }) => found.push([target?.$case, isShared ?? false]))
  return found
}

test.each([
  ['a typed array', new Float64Array(5_000)],
  ['an array with a shape', new NdArray(new Float64Array(5_000), [50, 100])],
  ['a complex array', new Complex128Array(2_500)],
])('%s that is large goes into a blob, once for all tasks', (_, array) => {
  const encoder = createArgumentEncoder()
  for (let i = 0; i < 3; i++) expect(referencesIn(encoder.encode([i, array], 'solve'))).toEqual([['blob', false]])
  expect(encoder.blobs.size).toBe(1)
  expect(decode(encoder.encode([array], 'solve'), encoder.blobs)).toEqual([array])
})

test('what a task shares is told with what it refers to; a small array has a blob for that', () => {
  const encoder = createArgumentEncoder()
  const scattered = new ScatteredObject('o-1', { byteLength: 8, workerIds: [] }, {} as never)
  const small = new Float64Array([1])
  const input = encoder.encode([shared(small), { deep: [shared(scattered), scattered, small] }], 'solve')
  expect(referencesIn(input)).toEqual([
    ['blob', true],
    ['objectId', true],
    ['objectId', false],
    ['blob', false],
  ])
})

test('a large array of a class with a codec travels by its codec', () => {
  class Samples extends Float64Array {}
  const codec: Codec<Samples, Float64Array> = {
    test: (value) => value instanceof Samples,
    encode: (samples) => new Float64Array(samples),
    decode: (numbers) => new Samples(numbers),
  }
  const codecs = new Map([['samples', codec]])
  const encoder = createArgumentEncoder({ codecs })
  const { root } = Payload.decode(encoder.encode([new Samples(5_000)], 'solve'))
  expect(root?.kind).toMatchObject({ value: { values: [{ kind: { $case: 'coded', value: { codec: 'samples' } } }] } })
  expect(encoder.blobs.size).toBe(1)
})

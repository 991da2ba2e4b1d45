import { NdArray, type Task } from 'costate'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

type Numbers = Float64Array | Float32Array | Int32Array | BigInt64Array | Uint8Array

const source = `
import { task } from 'costate'
export const echo = task(import.meta, 'echo', async (x) => x)
`

let mesh: LocalMesh
let tasks: { readonly echo: Task<[unknown], unknown> }

beforeAll(async () => {
  mesh = await startLocalMesh()
  tasks = await mesh.importModule('tasks.mjs', source)
})

afterAll(async () => {
  await mesh.close()
})

const constructors = [Float64Array, Float32Array, Int32Array, BigInt64Array, Uint8Array] as const

/** Shapes of rank 0 to 4, empty axes included, and now and then arrays of several chunks. */
const shape = fc.oneof(
  { weight: 5, arbitrary: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 60_000, max: 200_000 })) },
)

/** Every bit pattern may occur: signalling NaNs, subnormals, −0. */
const array = fc
  .record({ shape, constructor: fc.constantFrom(...constructors), seed: fc.integer() })
  .map(({ shape: extents, constructor, seed }) => {
    const length = extents.reduce((product, extent) => product * extent, 1)
    const bytes = new Uint8Array(length * constructor.BYTES_PER_ELEMENT)
    let state = seed
    for (let at = 0; at < bytes.length; at++) bytes[at] = (state = Math.imul(state, 1664525) + 1013904223) >>> 24
    return new NdArray(new constructor(bytes.buffer, 0, length), extents)
  })

/** What must come back: type, shape, and every bit. */
function bitsOf(value: unknown): { type: string; shape: readonly number[]; bits: string } {
  const { data, shape: extents } =
    value instanceof NdArray ? (value as NdArray) : { data: value as Numbers, shape: [(value as Numbers).length] }
  const bits = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
  return { type: data.constructor.name, shape: extents, bits }
}

test('arrays of any shape and element type come back bit for bit, scattered, and through a task', async () => {
  await fc.assert(
    fc.asyncProperty(array, async (sent) => {
      const scattered = await mesh.cluster.scatter(sent)
      const echoed = mesh.cluster.submit(tasks.echo, scattered)
      const [got, through] = await Promise.all([scattered.result(), echoed.result()])
      expect([bitsOf(got), bitsOf(through)]).toEqual([bitsOf(sent), bitsOf(sent)])
      scattered.release()
      echoed.release()
    }),
    { numRuns: 60, interruptAfterTimeLimit: 40_000 },
  )
})

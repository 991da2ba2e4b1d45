import { expect, test } from 'vitest'

import type { ObjectId } from '#libs/domain'
import type { MappedCopy } from '#libs/transfer'

import { createObjectStore, type NewObject } from './object-store.js'
import { keepOnce } from './put-checks.js'
import type { SpilledBody } from './spill-folder.js'

/** A mapped file that counts who looks at it. */
class Mapped implements MappedCopy {
  readonly byteLength = 1_000
  looks = 0
  isClosed = false

  get bytes(): Uint8Array<ArrayBuffer> {
    this.looks++
    return new Uint8Array(this.byteLength)
  }

  close(): void {
    this.isClosed = true
  }
}

const objectId = 'x' as ObjectId
const objectOf = (mapped: Mapped, xxh64 = 5n): NewObject => ({ objectId, structure: undefined, mapped, xxh64 })

test('nobody looks at a mapped object before its bytes are asked for', () => {
  const store = createObjectStore()
  const mapped = new Mapped()
  keepOnce(store, objectOf(mapped), 'object x')
  expect(store.heldBytes).toBe(1_000)
  expect(store.oldest()?.objectId).toBe(objectId)
  expect(store.get(objectId)?.descriptor).toMatchObject({ byteLength: 1_000n, xxh64: 5n })
  expect(mapped.looks).toBe(0)
  const held = store.get(objectId)
  expect(held?.place === 'memory' && held.bytes.byteLength).toBe(1_000)
})

test('it is closed when it is released', () => {
  const store = createObjectStore()
  const mapped = new Mapped()
  keepOnce(store, objectOf(mapped), 'object x')
  store.release(objectId)
  expect([mapped.isClosed, mapped.looks, store.heldBytes]).toEqual([true, 0, 0])
})

test('a second one of the same object is closed, and refused when it is another value', () => {
  const store = createObjectStore()
  const [first, same, other] = [new Mapped(), new Mapped(), new Mapped()]
  keepOnce(store, objectOf(first), 'object x')
  keepOnce(store, objectOf(same), 'object x')
  expect(() => keepOnce(store, objectOf(other, 6n), 'object x')).toThrow('another value')
  expect([first, same, other].map(({ isClosed }) => isClosed)).toEqual([false, true, true])
})

test('what is left of one that was spilled keeps nothing of its memory', () => {
  const store = createObjectStore()
  const mapped = new Mapped()
  store.keep(objectOf(mapped))
  const held = store.oldest()
  if (held === undefined) throw new Error('it is not held')
  const body = { byteLength: 1_000, remove: () => undefined } as SpilledBody
  expect(store.moveToDisk(held, body)).toBe(true)
  expect(mapped.isClosed).toBe(true)
  expect(Object.keys(store.get(objectId) ?? {}).sort()).toEqual(['body', 'descriptor', 'objectId', 'place'])
  expect(store.moveToDisk(held, body)).toBe(false)
})

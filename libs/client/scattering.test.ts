import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import { Durability } from '#libs/proto'
import { type ObjectPut, TransferError } from '#libs/transfer'
import { decodeValue } from '#libs/value'

import { Scattering } from './scattering.js'

const workers = ['w1', 'w2'].map((id) => ({ id, state: 'ready', heldObjects: 0, addresses: [`${id}:1`] }) as never)

/** A connection whose workers take what is put, or fail with what `fails` says of it. */
function setUp(fails: (put: ObjectPut) => Error | undefined = () => undefined) {
  const puts: ObjectPut[] = []
  const blobs: string[] = []
  const released: string[] = []
  const connection = {
    session: { id: 's-1' },
    check: () => undefined,
    startScatterSpan: () => undefined,
    startPut: (put: ObjectPut) => {
      puts.push(put)
      const failure = fails(put)
      if (failure) put.failed(failure)
      else put.moved({ durability: Durability.MEMORY, version: 0n })
    },
    putBlob: async (id: string) => void blobs.push(id),
    release: (ids: readonly string[]) => void released.push(...ids),
    fetchObject: async ({ objectId, structure }: { objectId: string; structure: never }) => {
      const put = puts.find((each) => each.objectId === objectId)
      return decodeValue(structure, Buffer.concat(put?.segments ?? []))
    },
  }
  const scattering = new Scattering(connection as never, async () => workers)
  return { scattering, puts, blobs, released }
}

test('values go to the workers in turn, and each handle brings its own value back', async () => {
  const { scattering, puts, released } = setUp()
  const values = Array.from({ length: 10 }, (_, k) => new Float64Array(4).fill(k))
  const handles = await Promise.all(values.map((value) => scattering.scatter(value, {})))
  expect(puts.map(({ addresses }) => addresses[0])).toEqual(Array.from({ length: 5 }, () => ['w1:1', 'w2:1']).flat())
  expect(handles.map(({ id }) => id)).toEqual(puts.map(({ objectId }) => objectId))
  expect(handles.map(({ byteLength, workerIds }) => [byteLength, workerIds.length])).toEqual(values.map(() => [32, 1]))
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(values)
  // What handles share nobody may change.
  expect(() => (handles[0]!.workerIds as string[]).push('w3')).toThrow(TypeError)
  for (const handle of handles) handle.release()
  expect(released).toEqual(handles.map(({ id }) => id))
})

test('what cannot travel, and whom nobody knows, is the error of the one that asked for it', async () => {
  const { scattering, puts } = setUp()
  const [first, second, third] = await Promise.allSettled([
    scattering.scatter(() => 1, {}),
    scattering.scatter([1], { workers: ['w9'] }),
    scattering.scatter([1], {}),
  ])
  expect(first).toMatchObject({ reason: { reason: 'UNSERIALIZABLE' } })
  expect(String((second as PromiseRejectedResult).reason)).toContain('there is no worker w9')
  expect(third.status).toBe('fulfilled')
  expect(puts).toHaveLength(1)
})

test('what no worker could be reached for goes into the checkpoint-store, what one refused is given up', async () => {
  const away = new TransferError(Status.UNAVAILABLE, 'STREAM_BROKEN', 'away')
  const full = new TransferError(Status.RESOURCE_EXHAUSTED, 'NO_MEMORY', 'no room')
  const { scattering, puts, blobs, released } = setUp(({ byteLength }) => (byteLength === 8 ? away : full))
  const [reached, refused] = await Promise.allSettled([
    scattering.scatter(new Float64Array(1), {}),
    scattering.scatter(new Float64Array(2), {}),
  ])
  expect(reached.status).toBe('fulfilled')
  expect(blobs).toEqual([puts[0]!.objectId])
  expect(refused).toMatchObject({ reason: { code: 'RESOURCE_EXHAUSTED' } })
  expect(released).toEqual([puts[1]!.objectId])
})

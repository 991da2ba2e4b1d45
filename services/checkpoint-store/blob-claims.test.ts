import { afterEach, beforeEach, expect, test } from 'vitest'

import { bytesOf, digestOf, RunningStore } from './running-store.fixture.js'

let store: RunningStore
beforeEach(async () => {
  store = await RunningStore.create()
  await store.start()
})
afterEach(() => store.dispose())

test('a blob that is kept for somebody goes with the last of them, also after a restart', async () => {
  const worker = await store.call('worker')
  const bytes = bytesOf(3_000_001)
  const { digest } = await worker.putBlob(bytes, 'j1/0')
  await worker.putBlob(bytes, 'j1/1')
  expect((await worker.rpc.findBlobs({ digests: [digest] })).digests).toEqual([])
  await worker.rpc.releaseBlobs({ claims: [{ digest, claimant: 'j1/0' }] })
  await store.restart()
  const again = await store.call('worker')
  expect(digestOf(await again.getBlob(digest))).toBe(digest)
  await again.rpc.releaseBlobs({ claims: [{ digest, claimant: 'j1/1' }] })
  await expect(again.getBlob(digest)).rejects.toMatchObject({ reason: 'BLOB_NOT_FOUND' })
  await expect.poll(async () => (await store.files()).chunks).toEqual([])
  const noOne = again.rpc.releaseBlobs({ claims: [{ digest, claimant: '' }] })
  await expect(noOne).rejects.toMatchObject({ details: expect.stringContaining('1 to 512 printable') as string })
})

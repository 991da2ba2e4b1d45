import { expect, test } from 'vitest'

import type { JobId, ObjectId, WorkerId } from '#libs/domain'
import { JobSpec, JobState, ObjectDescriptor, TaskSpec } from '#libs/proto'
import { encodePayload, encodeValue } from '#libs/value'

import { quiet, type Rim, startRim } from '../testing/rim.js'

const context = { signal: new AbortController().signal } as never
const input = Buffer.from(encodePayload(encodeValue([1], 'the arguments')))
const bundled = { function: { $case: 'bundled', value: { bundleDigest: 'a'.repeat(64), taskName: 'f' } } } as const
const blobDigest = 'b'.repeat(64)

async function submit({ service }: Rim, jobId: string, detached: boolean) {
  const tasks = [{ ...TaskSpec.fromPartial({}), input }]
  const job = { ...JobSpec.fromPartial({}), jobId, functions: [bundled], tasks, detached }
  const { receipt } = await service.submitJob({ requestId: '', job, validateOnly: false }, context)
  return receipt
}

function finishLarge({ loop }: Rim, jobId: string): void {
  const objectId = `${jobId}/0` as ObjectId
  const descriptor = ObjectDescriptor.encode(
    ObjectDescriptor.fromPartial({ objectId, byteLength: 1_000_000n }),
  ).finish()
  const result = { kind: 'object', descriptor, byteLength: 1_000_000 } as const
  const attempt = { jobId: jobId as JobId, index: 0, epoch: 1, attempt: 1, slot: 0 }
  const end = { ...attempt, outcome: { kind: 'finished', result }, startedAtMs: 0, endedAtMs: 1 } as const
  loop.post({ kind: 'tasksEnded', workerId: 'w1' as WorkerId, ends: [end] })
}

test('a receipt says which results will be durable as soon as they are made', async () => {
  const rim = await startRim()
  expect(await submit(rim, 'attached', false)).not.toHaveProperty('durableResultBytes')
  expect(await submit(rim, 'detached', true)).toMatchObject({ durableResultBytes: 0n })
  await rim.loop.stop()
  const asked = await startRim({ durableResultBytes: 1_000_000 })
  expect(await submit(asked, 'attached', false)).toMatchObject({ durableResultBytes: 1_000_000n })
  await asked.loop.stop()
})

test('a detached job is followed until its large results are in the checkpoint-store', async () => {
  const rim = await startRim()
  await submit(rim, 'j', true)
  const worker = rim.openLink({ workerId: 'w1' })
  await quiet()
  worker.heard()
  const jobs = rim.service.watchJob({ jobId: 'j' }, context)[Symbol.asyncIterator]()
  expect(await jobs.next()).toMatchObject({ value: { job: { state: JobState.RUNNING, volatileResults: 0 } } })
  finishLarge(rim, 'j')
  expect(await jobs.next()).toMatchObject({ value: { job: { state: JobState.FINISHED, volatileResults: 1 } } })
  await quiet()
  expect(worker.heard()).toContainEqual({ $case: 'handOver', value: { objectIds: ['j/0'] } })
  worker.say({ $case: 'objectsArchived', value: { objects: [{ objectId: 'j/0', blobDigest }] } })
  expect(await jobs.next()).toMatchObject({ value: { job: { state: JobState.FINISHED, volatileResults: 0 } } })
  expect(await jobs.next()).toMatchObject({ done: true })
  rim.loop.post({ kind: 'objectsReleased', objectIds: ['j/0' as ObjectId] })
  await quiet()
  expect(worker.heard()).toContainEqual({
    $case: 'releaseArchives',
    value: { objects: [{ objectId: 'j/0', blobDigest }] },
  })
  await rim.loop.stop()
})

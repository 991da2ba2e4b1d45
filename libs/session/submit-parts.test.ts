import { expect, test } from 'vitest'

import { Durability, JobSpec, SessionRequest } from '#libs/proto'

import { partsOf } from './submit-parts.js'

const taskOf = (byteLength: number) => ({
  function: 0,
  input: Buffer.alloc(byteLength),
  name: 'f',
  timeout: undefined,
  needs: 0,
  retryPolicy: 0,
})

function partsWith(inputs: readonly number[]) {
  const job = JobSpec.fromPartial({ jobId: 'j1', name: 'sweep', functions: [{}] })
  const parts = [
    ...partsOf({ requestId: 'r1', job: { ...job, tasks: inputs.map(taskOf) }, durability: Durability.MEMORY }),
  ]
  return parts.map((part) => {
    if (part.message?.$case !== 'submit') throw new Error('a part is a submit')
    return { ...part.message.value, byteLength: SessionRequest.encode(part).finish().byteLength }
  })
}

test('three thousand tasks with an array of 24 KB each go in parts that fit into messages', () => {
  const parts = partsWith(Array.from({ length: 3_000 }, () => 24_000))
  for (const { byteLength } of parts) expect(byteLength).toBeLessThanOrEqual(4 * 2 ** 20)
  expect(parts.reduce((sum, { job }) => sum + (job?.tasks.length ?? 0), 0)).toBe(3_000)
  expect(parts.map(({ more }) => more)).toEqual([...parts.slice(1).map(() => true), false])
  expect(parts.every(({ durability }) => durability === Durability.MEMORY)).toBe(true)
  expect(parts[0]?.job?.name).toBe('sweep')
  expect(parts[1]?.job).toMatchObject({ jobId: 'j1', name: '', functions: [] })
})

test('small tasks go two thousand to a part', () => {
  expect(partsWith(Array.from({ length: 4_100 }, () => 10)).map(({ job }) => job?.tasks.length)).toEqual([
    2000, 2000, 100,
  ])
})

test('a task that fills a part alone is sent alone', () => {
  expect(partsWith([10, 5 * 2 ** 20, 10]).map(({ job }) => job?.tasks.length)).toEqual([1, 1, 1])
})

test('a job without tasks is one part', () => {
  expect(partsWith([])).toMatchObject([{ more: false }])
})

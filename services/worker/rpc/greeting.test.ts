import { expect, test } from 'vitest'

import { ExecutorKind, LinkRequest, makeHello, ObjectDescriptor } from '#libs/proto'

import { greetingOf } from './greeting.js'

const self = {
  hello: makeHello(),
  workerId: 'w-1',
  host: 'host',
  pid: 1,
  slots: 2,
  addresses: ['host:1'],
  memoryLimitBytes: 0n,
  executor: ExecutorKind.THREAD,
  predecessor: undefined,
  allocation: undefined,
  endsAt: undefined,
  resources: new Map(),
}

function held(objectId: string) {
  const descriptor = { ...ObjectDescriptor.fromPartial({}), objectId, byteLength: 100_000n, xxh64: 7n }
  return { descriptor }
}

const nothing = { attempts: [], objects: [], stored: [] }

test('a small inventory is in the hello', () => {
  const reports = greetingOf(self, { ...nothing, objects: [held('j/0')] })
  expect(reports).toMatchObject([
    { report: { $case: 'hello', value: { workerId: 'w-1', objects: [{ objectId: 'j/0' }], inventoryFollows: false } } },
  ])
})

test('200,000 objects take as many messages as fit, and the last one says so', () => {
  const names = Array.from({ length: 200_000 }, (_, index) => `a-job-with-a-long-name-that-holds-many/${index}`)
  const attempts = [{ taskId: 'j/1', epoch: 1n, attempt: 1, running: true, behind: [] }]
  const reports = greetingOf(self, { ...nothing, attempts, objects: names.map(held) })
  expect(reports.length).toBeGreaterThan(3)
  const listed: string[] = []
  for (const [index, request] of reports.entries()) {
    expect(LinkRequest.encode(request).finish().byteLength).toBeLessThan(4 * 2 ** 20)
    const { report } = request
    expect(report?.$case).toBe(index === 0 ? 'hello' : 'inventory')
    if (report?.$case !== 'hello' && report?.$case !== 'inventory') continue
    expect(report.value.inventoryFollows).toBe(index < reports.length - 1)
    listed.push(...report.value.objects.map(({ objectId }) => objectId))
  }
  expect(listed).toEqual(names)
})

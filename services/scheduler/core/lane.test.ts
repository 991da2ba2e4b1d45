import { expect, test } from 'vitest'

import { createMesh, type TestTask } from './testing/mesh.js'

test('what was begun is ended before more is begun: of many chains at most as many results are kept as there are slots', () => {
  const mesh = createMesh()
  const slots = 3
  mesh.join('w1', { slots })
  const heads = Array.from({ length: 20 }, (_, i) => `head${i}`)
  const chains = heads.flatMap((head, i): TestTask[] => [
    [`middle${i}`, head],
    [`end${i}`, `middle${i}`],
  ])
  const jobId = mesh.submit([...heads, ...chains])
  // Only the ends are wanted by the client.
  mesh.release(...heads, ...heads.map((_, i) => `middle${i}`))
  const job = mesh.state.jobs.get(jobId)
  const kept = (): number =>
    (job?.tasks ?? [])
      .filter((task) => !task.released || task.dependents?.size)
      .filter(({ holders, spec }) => holders?.size && !spec.name.startsWith('end')).length
  let most = 0
  while (job && job.settledAtMs === undefined) {
    const next = job.tasks.find(({ status }) => status.kind === 'assigned')
    if (next === undefined) throw new Error('nothing runs')
    mesh.finish(next.spec.name, { bytes: 1_000 })
    most = Math.max(most, kept())
  }
  expect(most).toBeLessThanOrEqual(slots)
})

test('a task that is given back is run before new ones of its job, one that failed after them', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b', 'c'], { retry: { maxAttempts: { userError: 2 }, firstDelayMs: 0 } })
  mesh.giveBack('w1', 'a')
  mesh.join('w2')
  expect(mesh.status('a')).toBe('is on w2')
  mesh.fail('a')
  mesh.tick()
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['is queued', 'is on w2'])
  mesh.finish('b')
  mesh.finish('c')
  expect(mesh.status('a')).toBe('is on w2')
})

import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { explainTask } from './explain.js'
import { unheardPulse } from './pulse.js'
import { createMesh, type Mesh } from './testing/mesh.js'

function explain(mesh: Mesh, name: string, wasLost = false): string {
  return explainTask(mesh.state, mesh.task(name), mesh.nowMs, wasLost)
}

test('a task without a worker', () => {
  const mesh = createMesh()
  mesh.submit(['a', 'b'])
  mesh.pass(3_000)

  expect(explain(mesh, 'b')).toBe(
    'task j1/1 (b) is number 2 of 2 in the queue of its job, where it has waited 3.00 s: there is no worker',
  )
})

test('a task that nobody has room for', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', 'b', 'c'])

  expect(explain(mesh, 'c')).toBe(
    'task j1/2 (c) is number 1 of 1 in the queue of its job, where it has waited 0 ms: nobody has room, of 2 slots on 2 workers none is free',
  )
})

test('workers that drain or are cut off are not counted on', () => {
  const mesh = createMesh()
  mesh.workers(3)
  mesh.submit(['a', 'b', 'c'])
  mesh.submit(['d'])
  mesh.happen({ kind: 'drainRequested', workerId: 'w1' as never, onlyIfIdle: false })
  mesh.cut('w2')
  expect(explain(mesh, 'd')).toContain(
    'of 1 slot on 1 worker none is free; of the others 1 drains and 1 has a broken link',
  )

  mesh.cut('w3')
  expect(explain(mesh, 'd')).toContain('no worker takes tasks (1 drains and 2 have a broken link)')
})

test('a task on a worker', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.pass(500)
  expect(explain(mesh, 'a')).toBe('task j1/0 (a) was sent to w1 (host) 500 ms ago as attempt 1 and has not begun there')

  mesh.start('a')
  mesh.pass(2_000)
  mesh.cut('w1')
  expect(explain(mesh, 'a')).toBe(
    'task j1/0 (a) has run on w1 (host) for 2.00 s as attempt 1; the link of that worker broke 0 ms ago',
  )
})

test('how long such tasks take, and how often the task was lost', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['first'])
  mesh.finish('first', { runMs: 4_000 })
  mesh.submit(['a'])
  mesh.start('a')
  mesh.lose('w1')
  mesh.workers(1)
  mesh.start('a')

  expect(explain(mesh, 'a')).toBe(
    'task j2/0 (a) has run on w2 (host) for 0 ms as attempt 2; such tasks take 4.00 s on average; 1 attempt before was lost with a worker',
  )
})

test('a task that waits for inputs names them, with what they wait for', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a'], ['c', 'b', 'a'], ['d', 'c']])
  mesh.start('a')

  expect(explain(mesh, 'b')).toBe(
    'task j1/1 (b) waits for its input: j1/0 (a), which has run on w1 (host) for 0 ms as attempt 1',
  )
  expect(explain(mesh, 'c')).toBe(
    'task j1/2 (c) waits for 2 of its 2 inputs: j1/1 (b), which waits for 1 input itself; ' +
      'j1/0 (a), which has run on w1 (host) for 0 ms as attempt 1; ' +
      'at the beginning of that chain, j1/0 (a), which has run on w1 (host) for 0 ms as attempt 1',
  )
})

test('of many inputs, the first are named', () => {
  const mesh = createMesh()
  const inputs = ['a', 'b', 'c', 'd', 'e']
  mesh.submit([...inputs, ['sum', ...inputs]])

  expect(explain(mesh, 'sum')).toMatch(/waits for 5 of its 5 inputs: .*; .*; .*; 2 more$/)
})

test('a task whose inputs could not be fetched is kept back for a known time', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 1 })
  mesh.missInputs('b')

  expect(explain(mesh, 'b')).toBe(
    'task j1/1 (b) is kept back for up to 250 ms more, because its inputs could not be fetched once',
  )
})

test('after a restart, tasks wait for the workers that may run them', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.start('a')
  mesh.restart()

  expect(explain(mesh, 'a')).toBe(
    "task j1/0 (a) may run on a worker from before the scheduler's restart: that worker has up to 5.00 s more to come back and say so",
  )
})

test('settled tasks say how, and where the result is', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['small', 'large', 'bad', 'stopped'])
  mesh.finish('small', { runMs: 100 })
  mesh.finish('large', { bytes: 2_000_000 })
  mesh.fail('bad')
  mesh.cancel('stopped')

  expect(explain(mesh, 'small')).toBe(
    'task j1/0 (small) finished in attempt 1 on w1, having run 100 ms; its result (1 B) is with the scheduler',
  )
  expect(explain(mesh, 'large')).toContain('its result (2.0 MB) is on w1')
  expect(explain(mesh, 'bad')).toBe('task j1/2 (bad) failed in attempt 1 on w1, having run 100 ms: boom')
  expect(explain(mesh, 'stopped')).toBe('task j1/3 (stopped) was cancelled: test')

  mesh.release('large')
  expect(explain(mesh, 'large')).toContain('is on no worker: nobody wants it any more')
})

test('a result that was lost is computed again', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a', { bytes: 1 })
  mesh.lose('w1')

  expect(explain(mesh, 'a', true)).toMatch(/there is no worker, because its result was lost and is computed again$/)
})

test('a task that may have ended a worker runs alone, and others hear of that', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['a', 'b', 'c'])
  mesh.start('a')
  mesh.start('b')
  mesh.lose('w1')

  expect(explain(mesh, 'a')).toMatch(
    /is number 1 of 2 in the queue of those that run alone, because they may have ended a worker/,
  )
  mesh.workers(1, 2)
  expect(explain(mesh, 'c')).toContain('no worker takes tasks (1 is kept for a task that runs alone)')
})

test('a task that waits for its next attempt says why, and a queue behind a quarantine does too', () => {
  const mesh = createMesh()
  mesh.join('w1')
  mesh.submit(['a'], { retry: { maxAttempts: { userError: 2 }, firstDelayMs: 5_000 } })
  mesh.fail('a', { message: 'the matrix is singular' })
  expect(explain(mesh, 'a')).toMatch(
    /waits up to 5.* more for its next attempt, because attempt 1 failed \(userError\): the matrix is singular$/,
  )
  mesh.join('w2', { host: 'bad' })
  const worker = mesh.state.workers.get('w2' as never)
  if (worker) worker.quarantine = { untilMs: mesh.nowMs + 1_000, why: 'test' }
  mesh.submit(['b', 'c'])
  expect(explain(mesh, 'c')).toContain('of the others 1 is in quarantine')
})
test('a task whose device others have', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 4, resources: { gpu: 1 } })
  mesh.submit(['a', 'b'], { resources: { gpu: 1 }, priority: 2 })

  expect(explain(mesh, 'b')).toBe(
    'task j1/1 (b) is number 1 of 1 in the queue of its job for cpu 1, gpu 1 with priority 2, where it has waited 0 ms: gpu (0 free at most on one worker) is taken by others on 1 worker',
  )
})

test('a task that no worker can ever take', () => {
  const mesh = createMesh()
  mesh.join('w1', { resources: { gpu: 1 } })
  mesh.submit(['a'], { resources: { gpu: 2, licence: 1 } })
  mesh.submit(['b'], { on: ['w7'] })
  mesh.submit(['c'], { host: 'elsewhere' })

  expect(explain(mesh, 'a')).toContain(
    'it needs gpu 2, of which a worker offers 1 at most and licence 1, of which no worker offers any; it fails after 10m 00s of that',
  )
  expect(explain(mesh, 'b')).toContain(
    'for worker w7, where it has waited 0 ms: it needs worker w7, which is not there',
  )
  expect(explain(mesh, 'c')).toContain('it needs a worker on host elsewhere, which is not there')
})

test('a task that waits for several slots, and one that others come before', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['a', 'b', 'c'])
  mesh.submit(['wide'], { resources: { cpu: 2 } })
  mesh.submit(['first', 'second'], { priority: 1 })

  expect(explain(mesh, 'wide')).toContain(
    'none of 1 worker has 2 slots free beside all else that it needs; w1 takes no others until it has room for it; tasks of a higher priority come first',
  )
  expect(explain(mesh, 'second')).toContain('jobs of one priority take turns')
})

test('a task that was asked back', () => {
  const mesh = createMesh()
  mesh.join('w1')
  mesh.submit(['learnt'])
  mesh.finish('learnt', { runMs: 5 })
  mesh.submit(['a', 'b'])
  mesh.start('a')
  mesh.nowMs += 200
  mesh.join('w2')

  expect(explain(mesh, 'b')).toContain('it was asked back, because another worker is free')
})

test('workers that are paused are named', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.happen({ kind: 'workerHeard', workerId: 'w1' as WorkerId, pulse: { ...unheardPulse, isPaused: true } })
  mesh.submit(['a'])
  expect(explain(mesh, 'a')).toContain('no worker takes tasks (1 is paused because memory is nearly full)')
})

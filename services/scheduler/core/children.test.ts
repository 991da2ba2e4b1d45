import { describe, expect, test } from 'vitest'

import { explainTask } from './explain.js'
import { createMesh, type Mesh, type MeshOptions } from './testing/mesh.js'
import type { Policy } from './policy.js'

/** A worker with one slot runs `parent`, which has submitted `child`. */
function createFamily(policy: Partial<Policy> = {}, options: MeshOptions = {}): Mesh {
  const mesh = createMesh(policy, options)
  mesh.workers(1)
  mesh.submit(['parent'])
  mesh.start('parent')
  mesh.submit(['child'], { job: 'c', parent: 'parent' })
  return mesh
}

describe('a task that waits for what it submitted', () => {
  test('gives its slot to the task that it waits for, and has it again when it wants it', () => {
    const mesh = createFamily()
    expect(mesh.status('child')).toBe('is queued')
    mesh.await('parent')
    expect(mesh.status('parent')).toBe('awaits on w1')
    expect(mesh.status('child')).toBe('is on w1')
    mesh.start('child')
    mesh.finish('child')
    mesh.effects()
    mesh.wake('parent')
    expect(mesh.effects()).toEqual(['resume parent#1 on w1'])
    expect(mesh.status('parent')).toBe('runs on w1')
    mesh.finish('parent')
    expect(mesh.status('parent')).toBe('finished')
  })

  test('goes on before anything new begins, as soon as there is a slot', () => {
    const mesh = createFamily()
    mesh.submit(['other1', 'other2'])
    mesh.await('parent')
    mesh.start('child')
    mesh.finish('child')
    mesh.start('other1')
    mesh.wake('parent')
    expect(mesh.status('parent')).toBe('wants to go on on w1')
    mesh.finish('other1')
    expect([mesh.status('parent'), mesh.status('other2')]).toEqual(['runs on w1', 'is queued'])
  })

  test('is told once of each of its waits, however often it says so, and however late', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.await('parent')
    mesh.finish('child')
    mesh.wake('parent')
    mesh.effects()
    mesh.wake('parent')
    mesh.await('parent')
    expect(mesh.effects()).toEqual([])
    expect(mesh.status('parent')).toBe('runs on w1')
    mesh.await('parent', 2)
    expect(mesh.status('parent')).toBe('awaits on w1')
    mesh.wake('parent')
    expect(mesh.status('parent')).toBe('awaits on w1')
  })

  test('is told to end when it is not wanted any more: it would wait for ever', () => {
    const mesh = createFamily()
    const parent = mesh.ref('parent')
    mesh.happen({ kind: 'tasksReturned', workerId: 'w1' as never, attempts: [parent], recalled: true })
    mesh.effects()
    mesh.happen({ kind: 'tasksWaited', workerId: 'w1' as never, waits: [{ ...parent, wait: 1, isOver: false }] })
    expect(mesh.effects()).toEqual(['cancel parent#1 on w1'])
  })

  test('is no demand for a slot, keeps its worker from being taken for idle, and is explained', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.finish('child', { bytes: 1_000 })
    mesh.submit(['second'], { job: 'd', parent: 'parent' })
    expect(explainTask(mesh.state, mesh.task('parent'), mesh.nowMs)).toMatch(
      /waited 0 ms on w1 \(host\) as attempt 1, without a slot, for what it submitted: job d, of which 1 of 1 tasks are not settled, the first d\/0$/,
    )
    mesh.finish('second')
    expect(mesh.state.counts).toMatchObject({ waiting: 1, queued: 0, running: 0 })
    mesh.effects()
    mesh.happen({ kind: 'drainRequested', workerId: 'w1' as never, onlyIfIdle: true, callId: 1 })
    expect(mesh.effects()).toEqual(['refuse WORKER_BUSY'])
  })

  test('keeps its memory and devices, and gives back its slots and whatever else it took', () => {
    const mesh = createMesh({ unschedulableMs: 60_000 })
    const resources = { gpu: 2, licence: 1 }
    mesh.join('w1', { slots: 2, resources, memoryLimitBytes: 8e9 })
    mesh.submit(['parent'], { resources: { cpu: 2, gpu: 1, licence: 1, memory: 6e9 } })
    mesh.start('parent')
    mesh.submit(['licensed'], { parent: 'parent', resources: { cpu: 2, gpu: 1, licence: 1 } })
    mesh.submit(['hungry'], { parent: 'parent', resources: { memory: 4e9 } })
    mesh.await('parent')
    expect([mesh.status('licensed'), mesh.status('hungry')]).toEqual(['is on w1', 'is queued'])
    mesh.start('licensed')
    mesh.wake('parent')
    expect(mesh.status('parent')).toBe('wants to go on on w1')
    mesh.finish('licensed')
    expect(mesh.status('parent')).toBe('runs on w1')
    mesh.await('parent', 2)
    // What the parent keeps while it waits would be missing for ever.
    expect(explainTask(mesh.state, mesh.task('hungry'), mesh.nowMs)).toContain(
      'it needs memory 4000000000, of which tasks that wait for others keep too much',
    )
    mesh.pass(61_000)
    expect(mesh.failure('hungry').reason).toBe('UNSCHEDULABLE')
  })

  test('may be one of those that run alone: nobody is there when it goes on', () => {
    const mesh = createMesh()
    mesh.workers(1, 2)
    mesh.submit(['parent', 'neighbour'])
    mesh.start('parent')
    mesh.start('neighbour')
    mesh.lose('w1')
    mesh.workers(1, 2)
    expect(mesh.status('neighbour')).toBe('is queued')
    mesh.start('parent')
    mesh.submit(['child'], { parent: 'parent' })
    mesh.await('parent')
    mesh.start('neighbour')
    mesh.wake('parent')
    expect([mesh.status('parent'), mesh.status('child')]).toEqual(['wants to go on on w2', 'is queued'])
    mesh.finish('neighbour')
    expect([mesh.status('parent'), mesh.status('child')]).toEqual(['runs on w2', 'is queued'])
  })
})

describe('the order', () => {
  test('the deepest tasks of a family come first, so that a recursion takes as much memory as it is deep', () => {
    const mesh = createMesh()
    mesh.workers(1)
    mesh.submit(['root'])
    mesh.start('root')
    mesh.submit(['left', 'right'], { parent: 'root' })
    mesh.await('root')
    mesh.start('left')
    mesh.submit(['leaf1', 'leaf2'], { parent: 'left' })
    mesh.await('left')
    expect(mesh.status('leaf1')).toBe('is on w1')
    mesh.finish('leaf1')
    expect([mesh.status('leaf2'), mesh.status('right')]).toEqual(['is on w1', 'is queued'])
  })

  test('families take turns: a recursion keeps no other job waiting', () => {
    const mesh = createFamily()
    mesh.submit(['other1', 'other2'])
    mesh.await('parent')
    mesh.start('child')
    mesh.submit(['grandchild1', 'grandchild2'], { parent: 'child' })
    mesh.await('child')
    const order: string[] = []
    for (let turn = 0; turn < 4; turn++) {
      const names = ['other1', 'other2', 'grandchild1', 'grandchild2']
      const name = names.find((each) => mesh.status(each) === 'is on w1') ?? ''
      order.push(name)
      mesh.start(name)
      mesh.finish(name)
    }
    expect(order).toEqual(['other1', 'grandchild1', 'other2', 'grandchild2'])
  })

  test('tasks that a task submits have its priority, and their own added', () => {
    const mesh = createMesh()
    mesh.workers(1)
    mesh.submit(['parent'], { priority: 5 })
    mesh.start('parent')
    mesh.submit(['rival'], { priority: 4 })
    mesh.submit(['later'], { parent: 'parent', priority: -2 })
    mesh.submit(['child'], { parent: 'parent' })
    mesh.await('parent')
    mesh.start('child')
    mesh.finish('child')
    expect([mesh.status('rival'), mesh.status('later')]).toEqual(['is on w1', 'is queued'])
  })
})

describe('the end of a parent', () => {
  test('ends what it submitted, and what that submitted, and forgets it', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.start('child')
    mesh.submit(['grandchild'], { job: 'g', parent: 'child' })
    mesh.effects()
    mesh.cancel('parent')
    expect(mesh.status('parent')).toBe('failed: cancelled CANCELLED')
    expect(mesh.effects()).toContain('cancel child#1 on w1')
    expect([...mesh.state.jobs.keys()]).toEqual(['j1'])
  })

  test('leaves a detached job alone', () => {
    const mesh = createFamily()
    mesh.submit(['apart'], { job: 'd', parent: 'parent', detached: true })
    mesh.finish('parent')
    expect([...mesh.state.jobs.keys()]).toEqual(['j1', 'd'])
    expect(mesh.status('apart')).toBe('is on w1')
  })

  test('leaves what another job takes, and what of it is lost is computed again', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.start('child')
    mesh.finish('child', { bytes: 1_000 })
    mesh.workers(1)
    mesh.submit([['taker', 'child']], { on: ['w3'] })
    mesh.finish('parent')
    expect(mesh.status('child')).toBe('finished')
    mesh.lose('w1')
    expect(mesh.status('child')).toBe('is on w2')
  })

  test('comes with the deadline of its job, too', () => {
    const mesh = createMesh()
    mesh.workers(1)
    mesh.submit(['parent'], { deadlineMs: 2_000 })
    mesh.start('parent')
    mesh.submit(['child'], { job: 'c', parent: 'parent' })
    mesh.await('parent')
    mesh.pass(2_500)
    expect(mesh.failure('parent').reason).toBe('JOB_DEADLINE')
    expect(mesh.state.jobs.has('c' as never)).toBe(false)
  })

  test('is told by no failure of a child: the parent may catch it', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.fail('child')
    expect([mesh.status('parent'), mesh.status('child')]).toEqual(['awaits on w1', 'failed: userError TASK_THREW'])
  })
})

describe('a retry of a parent', () => {
  test('finds what is done, and tries what failed once more', () => {
    const mesh = createFamily()
    mesh.submit(['bad'], { job: 'b', request: 'bad', parent: 'parent' })
    mesh.await('parent')
    mesh.finish('child')
    mesh.fail('bad')
    mesh.lose('w1')
    expect(mesh.status('child')).toBe('finished')
    mesh.workers(1)
    mesh.start('parent')
    expect(mesh.ref('parent').attempt).toBe(2)
    mesh.submit(['child'], { job: 'c', parent: 'parent' })
    mesh.submit(['bad'], { job: 'b', request: 'bad', parent: 'parent' })
    expect([mesh.status('child'), mesh.status('bad')]).toEqual(['finished', 'is queued'])
    mesh.await('parent')
    mesh.fail('bad')
    // The answer was lost in a cut: it is asked for again, and is what it is.
    mesh.submit(['bad'], { job: 'b', request: 'bad', parent: 'parent' })
    expect(mesh.status('bad')).toBe('failed: userError TASK_THREW')
  })

  test('goes on with what was not done when its worker was lost', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.start('child')
    mesh.join('w9')
    mesh.lose('w1')
    expect([mesh.status('parent'), mesh.status('child')]).toEqual(['is queued', 'is on w9'])
    mesh.finish('child')
    expect(mesh.status('parent')).toBe('is on w9')
  })

  test('begins anew what an earlier attempt gave up', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.finish('child', { bytes: 1_000 })
    mesh.release('child')
    mesh.lose('w1')
    mesh.workers(1)
    mesh.start('parent')
    mesh.submit(['child'], { job: 'c', parent: 'parent' })
    expect(mesh.status('child')).toBe('is queued')
  })
})

describe('refused is', () => {
  test('what an older attempt submits, or a task that is over', () => {
    const mesh = createFamily()
    mesh.effects()
    mesh.submit(['late'], { parent: 'parent', attempt: { attempt: 0 } })
    const over = mesh.ref('parent')
    mesh.finish('parent')
    mesh.happen({ kind: 'timePassed' })
    mesh.submit(['again'])
    mesh.submit(['later'], { parent: 'again', attempt: over })
    expect(mesh.effects().filter((line) => line.startsWith('refuse'))).toEqual([
      ...['refuse ATTEMPT_OVER', 'refuse ATTEMPT_OVER'],
    ])
  })

  test('a recursion without an end', () => {
    const mesh = createMesh({ maxJobDepth: 2 })
    mesh.workers(1)
    mesh.submit(['t0'])
    for (let depth = 0; depth < 2; depth++) {
      mesh.start(`t${depth}`)
      mesh.submit([`t${depth + 1}`], { parent: `t${depth}` })
      mesh.await(`t${depth}`)
    }
    mesh.start('t2')
    mesh.effects()
    mesh.submit(['t3'], { parent: 't2' })
    expect(mesh.effects()).toEqual(['refuse TOO_DEEP'])
  })

  test('what waits for its parent, or for what may wait for it', () => {
    const mesh = createFamily()
    mesh.effects()
    mesh.submit([['loop', 'parent']], { parent: 'parent' })
    mesh.submit(['elsewhere'])
    mesh.submit([['foreign', 'elsewhere']], { parent: 'parent' })
    mesh.submit([['sibling', 'child']], { parent: 'parent' })
    const answers = mesh.effects().filter((line) => /^(?:refuse|answer)/.test(line))
    expect(answers).toEqual([
      ...['refuse FOREIGN_INPUT', expect.stringMatching(/^answer/) as string, 'refuse FOREIGN_INPUT'],
      expect.stringMatching(/^answer/) as string,
    ])
  })
})

describe('a restart of the scheduler', () => {
  test('finds a waiting attempt by the inventory of its worker', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.finish('child')
    const attempts = [{ ...mesh.ref('parent'), wait: 1, isOver: false }]
    mesh.restart()
    // The answer to a submit was lost with the scheduler: its session may be there before the link.
    mesh.happen({
      kind: 'jobSubmitted',
      requestId: 'request of c',
      callId: 1,
      parent: attempts[0] as never,
      job: mesh.task('child').job.spec,
    })
    mesh.effects()
    mesh.join('w1', { attempts })
    expect(mesh.status('parent')).toBe('awaits on w1')
    mesh.wake('parent')
    expect(mesh.effects()).toEqual(['resume parent#1 on w1'])
  })

  test('a command to go on that was lost in a cut is given again', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.finish('child')
    mesh.wake('parent')
    expect(mesh.status('parent')).toBe('runs on w1')
    mesh.cut('w1')
    mesh.effects()
    mesh.join('w1', { attempts: [{ ...mesh.ref('parent'), wait: 1, isOver: true }] })
    expect(mesh.effects()).toEqual(['resume parent#1 on w1'])
  })

  test('what a task submitted goes on and ends with it', () => {
    const mesh = createFamily()
    mesh.await('parent')
    mesh.start('child')
    const attempts = [mesh.ref('child'), { ...mesh.ref('parent'), wait: 1 }]
    mesh.restart()
    mesh.join('w1', { attempts })
    expect([mesh.status('parent'), mesh.status('child')]).toEqual(['awaits on w1', 'runs on w1'])
    mesh.cancelJob('j1')
    expect([...mesh.state.jobs.keys()]).toEqual(['j1'])
  })
})

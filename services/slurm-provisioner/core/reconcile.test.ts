import { expect, test } from 'vitest'

import { cpu, refusal, runningCluster, TestCluster } from './testing/cluster.js'

const interval = 10_000

test('demand becomes one array job, its workers register, and nothing more happens', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.demand(9)
  expect(cluster.submits()).toEqual([])
  cluster.poll()
  expect(cluster.submits()).toMatchObject([{ pool: 'cpu', count: 3 }])
  expect(cluster.phases()).toEqual(['submitted', 'submitted', 'submitted'])
  cluster.poll()
  expect(cluster.phases()).toEqual(['pending', 'pending', 'pending'])
  cluster.start()
  cluster.poll()
  expect(cluster.phases()).toEqual(['running', 'running', 'running'])
  cluster.register()
  cluster.poll()
  expect(cluster.phases()).toEqual(['registered', 'registered', 'registered'])
  for (let i = 0; i < 20; i++) cluster.poll()
  expect(cluster.submits()).toHaveLength(1)
  expect(cluster.alive).toHaveLength(3)
})

test('a rise of demand is submitted at once when the queue was seen, and for what is missing only', () => {
  const cluster = runningCluster(2)
  cluster.nowMs += 2 * interval
  expect(cluster.demand(20)).toMatchObject([{ kind: 'submitJobs', count: 3 }])
})

test('there is at most one burst of submits in an interval', () => {
  const cluster = runningCluster(1)
  cluster.nowMs += interval
  for (let slots = 8; slots <= 40; slots += 4) {
    cluster.nowMs += 100
    cluster.demand(slots)
  }
  expect(cluster.submits()).toHaveLength(2)
  cluster.poll()
  expect(cluster.submits()).toHaveLength(3)
  expect(cluster.alive).toHaveLength(10)
})

test('a job that is killed is replaced with the next look at the queue (R1)', () => {
  const cluster = runningCluster(2)
  cluster.end(cluster.running[0]!, 'FAILED', { reason: 'NonZeroExitCode', exitCode: 137 })
  cluster.poll()
  expect(cluster.endings()).toEqual(['failed'])
  expect(cluster.submits().at(-1)).toMatchObject({ count: 1 })
  cluster.settle()
  expect(cluster.phases()).toEqual(['registered', 'registered'])
})

test('a job that is accepted and never seen is noticed, and asked for again after a while (R2)', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.answer = 'acceptUnseen'
  cluster.demand(4)
  for (let i = 0; i < 3; i++) cluster.poll()
  expect(cluster.endings()).toEqual(['vanished'])
  cluster.answer = 'accept'
  for (let i = 0; i < 3; i++) cluster.settle()
  expect(cluster.phases()).toEqual(['registered'])
})

test('a job that waits longer than the pool allows is given up and replaced', () => {
  const cluster = new TestCluster([{ ...cpu, pendingTimeoutMs: 60_000 }])
  cluster.feed({ kind: 'started' })
  cluster.demand(4)
  for (let i = 0; i < 10; i++) cluster.poll()
  expect(cluster.endings()).toEqual(['neverStarted'])
  expect(cluster.alive).toHaveLength(1)
})

test('a refused submit is told with its advice and tried again, less and less often (R3)', () => {
  const cluster = new TestCluster([{ ...cpu, maxFailedSubmits: 100 }])
  cluster.feed({ kind: 'started' })
  cluster.answer = refusal
  cluster.demand(4)
  const submittedAt: number[] = []
  for (let i = 0; i < 64; i++) {
    cluster.poll()
    if (cluster.submits().length > submittedAt.length) submittedAt.push(i)
  }
  expect(submittedAt).toEqual([0, 1, 3, 7, 15, 31, 63])
  expect(cluster.told()[0]).toBe(
    'SLURM refused a submit of pool cpu: Invalid partition name specified (name a partition that sinfo shows); tried again in 10 s',
  )
  cluster.answer = 'accept'
  for (let i = 0; i < 60; i++) cluster.poll()
  expect(cluster.alive).toHaveLength(1)
  expect(cluster.state.pools.get('cpu')).toMatchObject({ failedSubmits: 0, lastRefusal: undefined })
})

test('after so many refusals the pool is paused with the reason, until it is resumed', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.answer = refusal
  cluster.demand(4)
  for (let i = 0; i < 30; i++) cluster.poll()
  expect(cluster.submits()).toHaveLength(3)
  expect(cluster.state.pools.get('cpu')?.pause).toMatchObject({
    by: 'provisioner',
    reason: expect.stringContaining('Invalid partition name specified') as string,
  })
  cluster.answer = 'accept'
  cluster.feed({ kind: 'poolResumed', pool: 'cpu' })
  expect(cluster.alive).toHaveLength(1)
})

test('a limit that lifts by itself pauses nobody', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.answer = { ...refusal, kind: 'limit', isTransient: true }
  cluster.demand(4)
  for (let i = 0; i < 100; i++) cluster.poll()
  expect(cluster.state.pools.get('cpu')?.pause).toBeUndefined()
})

test('workers that come in groups are recognised as one allocation each (R4)', () => {
  const cluster = runningCluster(0, { workersPerAllocation: 2, minWorkers: 2 })
  const [job] = cluster.running
  cluster.workers.set('second', { allocationId: `${job!.key}.0`, restarts: 0, tasks: 0, isDraining: false })
  cluster.poll()
  expect(cluster.allocations).toMatchObject([{ workers: 2, phase: { kind: 'registered', workers: [{}, {}] } }])
  cluster.end(job!, 'NODE_FAIL')
  cluster.poll()
  expect(cluster.submits()).toHaveLength(2)
  expect(cluster.alive).toHaveLength(1)
})

test('a lull of demand drains idle workers, and no others', () => {
  const cluster = runningCluster(3)
  const [busy] = [...cluster.workers.values()]
  busy!.tasks = 2
  cluster.demand(0)
  cluster.poll()
  expect(cluster.phases()).toEqual(['registered', 'registered', 'registered'])
  for (let i = 0; i < 6; i++) cluster.poll()
  expect(cluster.phases()).toEqual(['registered', 'draining', 'draining'])
  busy!.tasks = 0
  cluster.poll()
  expect(cluster.phases()).toEqual(['draining', 'draining', 'draining'])
})

test('no more workers are drained than are too many, however long the scheduler takes', () => {
  const cluster = runningCluster(4)
  cluster.drainsLate = true
  cluster.demand(12)
  for (let i = 0; i < 40; i++) {
    cluster.poll(3_000)
    cluster.feed({ kind: 'timePassed' })
  }
  expect(cluster.phases().filter((phase) => phase === 'draining')).toHaveLength(1)
  expect(cluster.submits()).toHaveLength(1)
})

test('what waits in the queue goes first, by one scancel', () => {
  const cluster = runningCluster(2)
  cluster.demand(40)
  cluster.poll()
  cluster.poll()
  expect(cluster.waiting).toHaveLength(8)
  cluster.demand(8)
  for (let i = 0; i < 8; i++) cluster.poll()
  expect(cluster.effects.filter(({ kind }) => kind === 'cancelJobs')).toHaveLength(1)
  expect(cluster.alive).toHaveLength(2)
  expect(cluster.phases()).toEqual(['registered', 'registered'])
  expect(new Set(cluster.endings())).toEqual(new Set(['cancelled']))
})

test('an allocation that runs without a worker is given up after its time, and counts', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.demand(4)
  cluster.poll()
  cluster.start()
  for (let i = 0; i < 34; i++) cluster.poll()
  expect(cluster.endings()).toEqual(['neverRegistered'])
  expect(cluster.alive).toHaveLength(1)
})

test('a node on which workers die at their start is left out, and the pool goes on', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.demand(40)
  cluster.poll()
  cluster.start()
  for (const job of cluster.running.slice(0, 6)) cluster.end(job, 'FAILED', { node: 'hole', exitCode: 1 })
  cluster.register()
  cluster.poll()
  expect(new Set(cluster.endings())).toEqual(new Set(['failedBeforeRegistering']))
  expect(cluster.state.pools.get('cpu')).toMatchObject({ pause: undefined, neverRegistered: 1 })
  cluster.poll()
  expect(cluster.submits().at(-1)).toMatchObject({ count: 6, excludedNodes: ['hole'] })
  cluster.settle()
  expect(cluster.phases().filter((phase) => phase === 'registered')).toHaveLength(10)
  cluster.nowMs += 3_600_000
  cluster.poll()
  expect(cluster.told()).toContain('node hole may be used again')
})

test('a pool whose workers die on every node is paused', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.demand(4)
  for (let i = 0; i < 40; i++) {
    cluster.poll()
    cluster.start()
    for (const job of cluster.running) cluster.end(job, 'FAILED', { exitCode: 127 })
  }
  expect(cluster.submits()).toHaveLength(3)
  expect(cluster.state.pools.get('cpu')?.pause?.reason).toContain('exit code 127')
})

test('a job that would wait for ever counts as a refused submit', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.demand(8)
  for (let i = 0; i < 40; i++) {
    cluster.poll()
    for (const job of cluster.waiting) job.reason = 'PartitionTimeLimit'
  }
  expect(cluster.submits()).toHaveLength(3)
  expect(cluster.state.pools.get('cpu')?.pause?.reason).toContain('PartitionTimeLimit')
  expect(cluster.alive).toEqual([])
})

test('an outsider who cancels a job is told from the provisioner, and the job is replaced', () => {
  const cluster = runningCluster(1)
  cluster.end(cluster.running[0]!, 'CANCELLED')
  cluster.poll()
  expect(cluster.state.history[0]?.ending.text).toBe('was cancelled on node1: SLURM says CANCELLED')
  expect(cluster.alive).toHaveLength(1)
})

test('limits hold: pending, jobs, core hours', () => {
  const pending = new TestCluster([{ ...cpu, maxPending: 2 }])
  pending.feed({ kind: 'started' })
  pending.demand(40)
  for (let i = 0; i < 5; i++) pending.poll()
  expect(pending.waiting).toHaveLength(2)
  const jobs = runningCluster(10, { maxJobs: 3 })
  expect(jobs.alive).toHaveLength(3)
  const budget = runningCluster(10, { coreHours: 10 })
  expect(budget.alive).toHaveLength(2)
  budget.nowMs += 1_800_000
  for (const job of budget.running) budget.end(job, 'COMPLETED')
  for (let i = 0; i < 3; i++) budget.settle()
  // 4 of the 10 core hours are spent, each allocation may take 4.
  expect(budget.alive).toHaveLength(1)
})

test('without arrays each job is submitted by itself, ten at most in a burst', () => {
  const cluster = new TestCluster([{ ...cpu, array: false, maxWorkers: 12 }])
  cluster.feed({ kind: 'started' })
  cluster.demand(48)
  cluster.poll()
  expect(cluster.submits().map(({ count }) => count)).toEqual(Array.from({ length: 10 }, () => 1))
  cluster.poll()
  expect(cluster.alive).toHaveLength(12)
})

test('no worker is asked for that would have nothing to do, as far as run times are known', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.demand(40, { slots: 40, totalMs: 40_000 })
  cluster.poll()
  // 40 tasks of one second are work for eight slots, at five seconds each.
  expect(cluster.alive).toHaveLength(2)
})

test('what will be done before another worker could start is not waited for', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.demand(4)
  cluster.poll()
  cluster.poll(3_600_000)
  cluster.start()
  cluster.register()
  cluster.poll()
  cluster.demand(40, { slots: 36, totalMs: 2_000_000 })
  cluster.poll()
  expect(cluster.alive).toHaveLength(1)
  cluster.demand(40, { slots: 36, totalMs: 200_000_000 })
  cluster.poll()
  expect(cluster.alive).toHaveLength(10)
})

test('a pool is scaled, drained and given back to the demand by hand', () => {
  const cluster = runningCluster(1)
  cluster.feed({ kind: 'poolScaled', pool: 'cpu', scale: { kind: 'fixed', workers: 3 } })
  cluster.settle()
  expect(cluster.phases()).toEqual(['registered', 'registered', 'registered'])
  for (const worker of cluster.workers.values()) worker.tasks = 1
  cluster.feed({ kind: 'poolScaled', pool: 'cpu', scale: { kind: 'draining' } })
  expect(cluster.phases()).toEqual(['draining', 'draining', 'draining'])
  cluster.restart()
  expect(cluster.state.pools.get('cpu')?.scale).toEqual({ kind: 'draining' })
  cluster.feed({ kind: 'poolScaled', pool: 'cpu', scale: { kind: 'adaptive' } })
  cluster.demand(4)
  cluster.poll()
  expect(cluster.waiting).toHaveLength(1)
})

test('a paused pool leaves its share to the next one', () => {
  const cluster = new TestCluster([cpu, { ...cpu, name: 'spare' }])
  cluster.feed({ kind: 'started' })
  cluster.feed({ kind: 'poolPaused', pool: 'cpu', reason: 'maintenance' })
  cluster.demand(8)
  cluster.poll()
  expect(cluster.submits()).toMatchObject([{ pool: 'spare', count: 2 }])
})

test('workers that others started take their share of the demand', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.workers.set('local', { allocationId: 'nobody', restarts: 0, tasks: 0, isDraining: false })
  cluster.poll()
  cluster.demand(12)
  expect(cluster.submits()).toMatchObject([{ count: 2 }])
})

test('when the mesh ends everything is cancelled', () => {
  const cluster = runningCluster(3)
  cluster.feed({ kind: 'stopRequested' })
  expect(cluster.alive).toEqual([])
  cluster.poll()
  expect(cluster.allocations).toEqual([])
})

import { expect, test } from 'vitest'

import { cpu, runningCluster, TestCluster } from './testing/cluster.js'

const interval = 10_000

test('while the scheduler is out of reach nobody is let go', () => {
  const cluster = runningCluster(2)
  cluster.demand(0)
  cluster.feed({ kind: 'demandLost' })
  for (let i = 0; i < 30; i++) cluster.poll()
  expect(cluster.phases()).toEqual(['registered', 'registered'])
})

test('a queue that cannot be seen is not an empty one: nothing is submitted, nothing cancelled, nothing forgotten', () => {
  const cluster = runningCluster(2)
  cluster.isQueueVisible = false
  cluster.poll()
  cluster.demand(40)
  for (let i = 0; i < 30; i++) cluster.poll()
  expect(cluster.submits()).toHaveLength(1)
  expect(cluster.phases()).toEqual(['registered', 'registered'])
  expect(cluster.told()).toHaveLength(1)
  cluster.isQueueVisible = true
  cluster.poll()
  expect(cluster.submits()).toHaveLength(2)
})

test('nothing is concluded from what a damaged listing does not show', () => {
  const cluster = runningCluster(2)
  for (const job of cluster.jobs) job.isVisible = false
  for (let i = 0; i < 10; i++) {
    cluster.nowMs += interval
    cluster.list(false)
  }
  expect(cluster.allocations).toHaveLength(2)
  cluster.poll()
  cluster.poll()
  expect(cluster.endings()).toEqual(['vanished', 'vanished'])
})

test('a submit that ended unclearly is found by its key before anything else is submitted', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.answer = 'acceptSilently'
  cluster.demand(8)
  cluster.poll()
  cluster.demand(40)
  expect(cluster.submits()).toHaveLength(1)
  cluster.answer = 'accept'
  cluster.poll()
  expect(cluster.state.submissions.get('k1')?.status).toMatchObject({ kind: 'accepted', jobId: '1' })
  expect(cluster.told()).toContain('the submit k1 had been accepted after all: job 1 was found by its key')
  cluster.poll()
  expect(cluster.alive).toHaveLength(10)
})

test('a submit that did not reach SLURM is made again when two later listings lack it', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.answer = 'lose'
  cluster.demand(4)
  cluster.poll()
  cluster.answer = 'accept'
  cluster.poll()
  expect(cluster.submits()).toHaveLength(1)
  cluster.poll()
  expect(cluster.submits()).toHaveLength(2)
  expect(cluster.alive).toHaveLength(1)
})

test('a job that turns up after it was given up is taken back, and the surplus goes', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.answer = 'acceptUnseen'
  cluster.demand(4)
  for (let i = 0; i < 3; i++) cluster.poll()
  cluster.answer = 'accept'
  for (let i = 0; i < 3; i++) cluster.poll()
  for (const job of cluster.jobs) job.isVisible = true
  cluster.poll()
  expect(cluster.allocations).toHaveLength(2)
  cluster.poll()
  cluster.poll()
  expect(cluster.alive).toHaveLength(1)
  expect(cluster.allocations).toHaveLength(1)
})

test('a restarted provisioner adopts its jobs and submits nothing', () => {
  const cluster = runningCluster(3)
  cluster.restart()
  cluster.demand(12)
  for (let i = 0; i < 5; i++) cluster.poll()
  expect(cluster.submits()).toHaveLength(1)
  expect(cluster.phases()).toEqual(['registered', 'registered', 'registered'])
})

test('a provisioner that was killed while it called sbatch finds the job by its key', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.answer = 'acceptSilently'
  cluster.demand(8)
  cluster.poll()
  cluster.answer = 'accept'
  cluster.restart()
  cluster.demand(8)
  for (let i = 0; i < 5; i++) cluster.poll()
  expect(cluster.alive).toHaveLength(2)
})

test('a provisioner that lost its journal adopts the jobs of its mesh', () => {
  const cluster = runningCluster(3)
  cluster.facts.length = 0
  cluster.restart()
  cluster.demand(12)
  for (let i = 0; i < 5; i++) cluster.poll()
  expect(cluster.submits()).toHaveLength(1)
  expect(cluster.phases()).toEqual(['registered', 'registered', 'registered'])
})

test('jobs of a pool that is in the file no more are orphans: what waits is cancelled, workers are drained', () => {
  const cluster = new TestCluster([cpu, { ...cpu, name: 'gpu', minWorkers: 2 }])
  cluster.feed({ kind: 'started' })
  cluster.settle()
  cluster.feed({ kind: 'poolsDefined', pools: [cpu] })
  expect(cluster.phases()).toEqual(['draining', 'draining'])
  for (const job of cluster.running) cluster.end(job, 'COMPLETED')
  for (let i = 0; i < 3; i++) cluster.poll()
  expect(cluster.alive).toEqual([])
  expect(cluster.submits()).toHaveLength(1)
})

test('a requeued job keeps its id, and its new worker is told from the old one', () => {
  const cluster = runningCluster(1)
  const [job] = cluster.running
  Object.assign(job!, { state: 'PENDING', reason: 'BeginTime', node: '', restarts: 1 })
  cluster.poll()
  expect(cluster.allocations).toMatchObject([{ restarts: 1, phase: { kind: 'pending', reason: 'BeginTime' } }])
  cluster.start('node9')
  cluster.poll()
  expect(cluster.phases()).toEqual(['running'])
  expect([...cluster.workers.values()]).toMatchObject([{ restarts: 0, isDraining: true }])
  cluster.register()
  cluster.poll()
  expect(cluster.phases()).toEqual(['registered'])
  expect(cluster.submits()).toHaveLength(1)
})

test('when the scheduler is away no allocation is blamed for not registering', () => {
  const cluster = new TestCluster()
  cluster.feed({ kind: 'started' })
  cluster.demand(4)
  cluster.poll()
  cluster.isSchedulerVisible = false
  cluster.start()
  for (let i = 0; i < 60; i++) cluster.poll()
  cluster.end(cluster.running[0]!, 'FAILED')
  cluster.poll()
  expect(cluster.endings()).toEqual(['failed'])
})

test('an id that SLURM gives to somebody else is not ours to cancel', () => {
  const cluster = runningCluster(1)
  const [job] = cluster.running
  job!.isVisible = false
  cluster.demand(0)
  for (let i = 0; i < 10; i++) cluster.poll()
  const cancelled = cluster.effects.flatMap((effect) => (effect.kind === 'cancelJobs' ? effect.jobIds : []))
  expect(cancelled).not.toContain(job!.jobId)
  expect(cluster.endings()).toContain('vanished')
})

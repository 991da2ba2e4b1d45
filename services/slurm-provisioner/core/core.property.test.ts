import fc from 'fast-check'
import { expect, test } from 'vitest'

import { apply } from './apply.js'
import { createState, type State } from './state.js'
import { cpu, refusal, TestCluster } from './testing/cluster.js'

/** One thing that the scheduler, SLURM, its users or time may do. */
const step: fc.Arbitrary<(cluster: TestCluster) => unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constant((cluster: TestCluster) => cluster.poll()) },
  fc.nat(120).map((slots) => (cluster: TestCluster) => cluster.demand(slots)),
  fc.tuple(fc.nat(50), fc.nat(100_000)).map(
    ([slots, totalMs]) =>
      (cluster: TestCluster) =>
        cluster.demand(slots, { slots, totalMs }),
  ),
  fc.constant((cluster: TestCluster) => cluster.feed({ kind: 'demandLost' })),
  fc.constant((cluster: TestCluster) => cluster.start()),
  fc.constant((cluster: TestCluster) => cluster.start('node1')),
  fc.constant((cluster: TestCluster) => cluster.register()),
  fc
    .constantFrom('accept', 'acceptSilently', 'lose', 'acceptUnseen', refusal, { ...refusal, isTransient: true })
    .map((answer) => (cluster: TestCluster) => (cluster.answer = answer as TestCluster['answer'])),
  fc.boolean().map((isLate) => (cluster: TestCluster) => (cluster.drainsLate = isLate)),
  fc.boolean().map((isVisible) => (cluster: TestCluster) => (cluster.isQueueVisible = isVisible)),
  fc.boolean().map((isVisible) => (cluster: TestCluster) => (cluster.isSchedulerVisible = isVisible)),
  fc
    .tuple(
      fc.nat(30),
      fc.constantFrom('FAILED', 'COMPLETED', 'TIMEOUT', 'NODE_FAIL', 'CANCELLED', 'PREEMPTED', 'OUT_OF_MEMORY'),
    )
    .map(([nth, state]) => (cluster: TestCluster) => {
      const job = cluster.alive[nth]
      if (job) cluster.end(job, state)
    }),
  fc.nat(30).map((nth) => (cluster: TestCluster) => {
    const job = cluster.running[nth]
    if (job) Object.assign(job, { state: 'PENDING', node: '', restarts: job.restarts + 1 })
  }),
  fc.nat(30).map((nth) => (cluster: TestCluster) => {
    const job = cluster.jobs[nth]
    if (job) job.isVisible = !job.isVisible
  }),
  fc.tuple(fc.nat(10), fc.nat(4)).map(([nth, tasks]) => (cluster: TestCluster) => {
    const worker = [...cluster.workers.values()][nth]
    if (worker) worker.tasks = tasks
  }),
  fc.nat(400_000).map((ms) => (cluster: TestCluster) => (cluster.nowMs += ms)),
  fc.constant((cluster: TestCluster) => cluster.feed({ kind: 'timePassed' })),
  fc.constant((cluster: TestCluster) => cluster.feed({ kind: 'poolPaused', pool: 'cpu', reason: 'test' })),
  fc.constant((cluster: TestCluster) => cluster.feed({ kind: 'poolResumed', pool: 'cpu' })),
  fc
    .nat(12)
    .map(
      (workers) => (cluster: TestCluster) =>
        cluster.feed({ kind: 'poolScaled', pool: 'gpu', scale: { kind: 'fixed', workers } }),
    ),
  fc
    .constantFrom('adaptive', 'draining')
    .map((kind) => (cluster: TestCluster) => cluster.feed({ kind: 'poolScaled', pool: 'cpu', scale: { kind } })),
  fc
    .integer({ min: 1, max: 20 })
    .map(
      (maxWorkers) => (cluster: TestCluster) => cluster.feed({ kind: 'poolsDefined', pools: [{ ...cpu, maxWorkers }] }),
    ),
  fc.constant((cluster: TestCluster) => cluster.restart(`r${cluster.facts.length}x`)),
)
const steps = fc.array(step, { maxLength: 80 })
const pools = [
  cpu,
  { ...cpu, name: 'gpu', minWorkers: 1, maxWorkers: 3, maxPending: 2, workersPerAllocation: 2, coreHours: 40 },
]

/** What a restart knows. */
function durablePartOf({ pools, submissions, allocations, nodes }: State) {
  return {
    pools: [...pools.values()]
      .map(({ limits, scale, pause, spentCoreMs }) => ({ name: limits.name, scale, pause, spentCoreMs }))
      .filter(({ scale, pause, spentCoreMs }) => scale.kind !== 'adaptive' || pause !== undefined || spentCoreMs > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    submissions: [...submissions.values()].map(({ key, pool, status, openIndices }) => ({
      ...{ key, pool, openIndices: [...openIndices].sort((a, b) => a - b) },
      jobId: status.kind === 'accepted' ? status.jobId : undefined,
    })),
    registered: [...allocations.values()].flatMap(({ id, wasRegistered }) => (wasRegistered ? [id] : [])),
    excluded: [...nodes].flatMap(([node, { excluded }]) => (excluded ? [node] : [])),
  }
}

test('whatever happens, the facts amount to the durable part of what was decided, and the invariants hold', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const cluster = new TestCluster(pools)
      cluster.feed({ kind: 'started' })
      for (const take of list) take(cluster)
      const replayed = createState(pools, 'x', {})
      for (const fact of cluster.facts) apply(replayed, fact)
      expect(durablePartOf(replayed)).toEqual(durablePartOf(cluster.state))
    }),
    { numRuns: 200 },
  )
})

test('whatever happened, once it is quiet there are as many workers as are wanted, and no job that nobody knows', () => {
  fc.assert(
    fc.property(steps, fc.nat(30), (list, slots) => {
      const cluster = new TestCluster(pools)
      cluster.feed({ kind: 'started' })
      for (const take of list) take(cluster)
      cluster.answer = 'accept'
      cluster.isQueueVisible = cluster.isSchedulerVisible = true
      for (const job of cluster.jobs) job.isVisible = true
      for (const worker of cluster.workers.values()) worker.tasks = 0
      cluster.feed({ kind: 'poolsDefined', pools: [cpu] })
      cluster.feed({ kind: 'poolResumed', pool: 'cpu' })
      cluster.feed({ kind: 'poolScaled', pool: 'cpu', scale: { kind: 'adaptive' } })
      cluster.demand(slots)
      for (let i = 0; i < 40; i++) {
        // Who drains leaves, and its job ends.
        for (const job of cluster.running) {
          const worker = [...cluster.workers.values()].find(
            ({ allocationId }) => allocationId === `${job.key}.${job.index}`,
          )
          if (worker?.isDraining) cluster.end(job, 'COMPLETED')
        }
        cluster.settle()
      }
      const wanted = Math.min(10, Math.ceil(slots / 4))
      expect(cluster.phases()).toEqual(Array.from({ length: wanted }, () => 'registered'))
      expect(cluster.alive.map(({ key, index }) => `${key}.${index}`).sort()).toEqual(
        [...cluster.state.allocations.keys()].sort(),
      )
    }),
    { numRuns: 150 },
  )
})

test('SLURM is told something at most once in an interval, whatever happens, unless the provisioner was started again', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const cluster = new TestCluster(pools)
      cluster.feed({ kind: 'started' })
      let lastMs = -Infinity
      let life = cluster.state
      let heard = 0
      for (const take of list) {
        take(cluster)
        const commands = cluster.effects
          .slice(heard)
          .filter(({ kind }) => kind === 'submitJobs' || kind === 'cancelJobs')
        heard = cluster.effects.length
        if (cluster.state !== life) lastMs = -Infinity
        life = cluster.state
        if (commands.length === 0) continue
        expect(cluster.nowMs - lastMs).toBeGreaterThanOrEqual(cluster.state.policy.pollIntervalMs)
        expect(new Set(commands.map(({ kind }) => kind)).size).toBe(1)
        lastMs = cluster.nowMs
      }
    }),
    { numRuns: 200 },
  )
})

test('limits are never exceeded by what is submitted', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const cluster = new TestCluster(pools)
      cluster.feed({ kind: 'started' })
      for (const take of list) {
        const before = cluster.submits().length
        take(cluster)
        for (const { pool, count } of cluster.submits().slice(before)) {
          const limits = cluster.state.pools.get(pool)!.limits
          expect(count).toBeLessThanOrEqual(limits.maxPending)
          const own = [...cluster.state.allocations.values()].filter((each) => each.pool === pool)
          expect(own.length).toBeLessThanOrEqual(
            limits.maxJobs + own.filter(({ cancel, phase }) => cancel ?? phase.kind === 'draining').length,
          )
        }
      }
    }),
    { numRuns: 100 },
  )
})

test('the same events give the same effects', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const effectsOf = (): unknown => {
        const cluster = new TestCluster(pools)
        cluster.feed({ kind: 'started' })
        for (const take of list) take(cluster)
        return cluster.effects
      }
      expect(effectsOf()).toEqual(effectsOf())
    }),
    { numRuns: 50 },
  )
})

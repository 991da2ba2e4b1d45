import fc from 'fast-check'
import { expect, test } from 'vitest'

import { profileJob, type JobProfile } from './job-profile.js'
import type { JobTimes } from './job-times.js'
import { jobTimes, taskTimes, workerFacts } from './times.fixture.js'

const phaseOf = ({ phases }: JobProfile, name: string) => phases.find((phase) => phase.name === name)
const around = { workers: [workerFacts('w1'), workerFacts('w2')], gatherMs: undefined, nowMs: 5_000 }

test('two workers that share four equal tasks make twice the speed of one', () => {
  const job = jobTimes([
    taskTimes(0, { sentAtMs: 1_000 }),
    taskTimes(1, { sentAtMs: 1_000, workerId: 'w2' }),
    taskTimes(2, { sentAtMs: 1_100 }),
    taskTimes(3, { sentAtMs: 1_100, workerId: 'w2' }),
  ])

  const profile = profileJob([job], around)

  expect(profile).toMatchObject({ wallMs: 200, computeMs: 400, speedUp: 2, slots: 2, usedSlots: 2, efficiency: 1 })
  expect(phaseOf(profile, 'queue')).toEqual({ name: 'queue', totalMs: 200, medianMs: 50, maxMs: 100, tasks: 2 })
  expect(profile.workers).toMatchObject([
    { workerId: 'w1', tasks: 2, computeMs: 200, busyShare: 1, memory: { rssBytes: 80e6, peakRssBytes: 90e6 } },
    { workerId: 'w2', tasks: 2, computeMs: 200, busyShare: 1 },
  ])
})

test('a worker that ran nothing counts against the efficiency', () => {
  const profile = profileJob([jobTimes([taskTimes(0), taskTimes(1, { sentAtMs: 1_100 })])], around)
  expect(profile).toMatchObject({ speedUp: 1, slots: 2, usedSlots: 1, efficiency: 0.5 })
})

test('a worker that is gone counts with the slots that ran tasks, and has no memory any more', () => {
  const job = jobTimes([taskTimes(0, { workerId: 'gone', slot: 0 }), taskTimes(1, { workerId: 'gone', slot: 3 })])
  const { workers, slots } = profileJob([job], { ...around, workers: [] })
  expect(workers).toEqual([
    { workerId: 'gone', slots: 2, tasks: 2, computeMs: 200, busyShare: 1, inputBytes: 0, resultBytes: 16 },
  ])
  expect(slots).toBe(2)
})

test('each part of the life of a task is in one phase', () => {
  const task = taskTimes(0, {
    ...{ attempt: 2, firstReadyAtMs: 1_010, readyAtMs: 1_030, sentAtMs: 1_060, fetchMs: 50, startedAtMs: 1_150 },
    ...{ endedAtMs: 1_310, parkedMs: 60, settledAtMs: 1_320 },
  })
  const { phases } = profileJob([jobTimes([task])], around)
  expect(Object.fromEntries(phases.map(({ name, totalMs }) => [name, totalMs]))).toEqual({
    ...{ waiting: 10, retries: 20, queue: 30, dispatch: 40, transfer: 50, compute: 100, children: 60, report: 10 },
  })
})

test('phases of tasks that were settled add up to the time from submit to settle, whatever the clocks show', () => {
  const time = fc.integer({ min: 0, max: 500 })
  const life = fc.record({
    ready: time,
    queue: time,
    fetch: time,
    run: time,
    report: time,
    skew: fc.integer({ min: -9_999, max: 9_999 }),
  })
  fc.assert(
    fc.property(life, ({ ready, queue, fetch, run, report, skew }) => {
      const readyAtMs = 1_000 + ready
      const sentAtMs = readyAtMs + queue
      const startedAtMs = sentAtMs + fetch
      const endedAtMs = startedAtMs + run
      const settledAtMs = endedAtMs + report
      const clock = { startedAtMs: startedAtMs + skew, endedAtMs: endedAtMs + skew }
      const task = taskTimes(0, {
        firstReadyAtMs: readyAtMs,
        readyAtMs,
        sentAtMs,
        fetchMs: fetch,
        ...clock,
        settledAtMs,
      })
      const { phases, wallMs, computeMs } = profileJob([jobTimes([task])], around)
      expect(phases.reduce((sum, { totalMs }) => sum + totalMs, 0)).toBeCloseTo(wallMs, 6)
      expect(computeMs).toBeCloseTo(run, 6)
    }),
  )
})

test('a task that is sent ahead of its input waits for that, and is not in the queue', () => {
  const job = jobTimes([
    taskTimes(0),
    taskTimes(1, { inputs: [0], readyAtMs: 1_000, sentAtMs: 1_000, startedAtMs: 1_101, endedAtMs: 1_201 }),
  ])
  const profile = profileJob([job], around)
  expect(phaseOf(profile, 'queue')).toBeUndefined()
  expect(phaseOf(profile, 'waiting')).toMatchObject({ totalMs: 100, tasks: 1 })
  expect(phaseOf(profile, 'dispatch')).toMatchObject({ totalMs: 1 })
})

test('what the gather took is a phase, and counts as wall time', () => {
  const profile = profileJob([jobTimes([taskTimes(0)])], { ...around, gatherMs: 100 })
  expect(phaseOf(profile, 'gather')).toMatchObject({ totalMs: 100, tasks: 1 })
  expect(profile).toMatchObject({ wallMs: 200, speedUp: 0.5 })
})

test('a job that is not settled is profiled as far as it is, and says so', () => {
  const job = jobTimes([taskTimes(0), taskTimes(1, { endedAtMs: 0, settledAtMs: 0, stage: 'running' })])
  const profile = profileJob([{ ...job, settledAtMs: undefined }], around)
  expect(profile).toMatchObject({ isSettled: false, tasks: 2, ranTasks: 1, wallMs: 4_000, computeMs: 100 })
  expect(profile.notes).toContain('the job is not settled: these are its figures so far')
})

test('what a restart of the scheduler forgot is said, and the rest is there', () => {
  const forgotten = { firstReadyAtMs: 0, readyAtMs: 0, sentAtMs: 0, startedAtMs: 1_000, settledAtMs: 0 }
  const job = jobTimes([taskTimes(0, forgotten), taskTimes(1)])
  const profile = profileJob([job], around)
  expect(profile.computeMs).toBe(200)
  expect(profile.notes[0]).toMatch(/^queue and dispatch of 1 of 2 tasks are forgotten/)
})

test('a job of which no task ran has no speed-up and no critical path', () => {
  const job = jobTimes([
    taskTimes(0, { startedAtMs: 0, endedAtMs: 0, settledAtMs: 1_000, stage: 'cancelled', workerId: '' }),
  ])
  expect(profileJob([job], { ...around, workers: [] })).toMatchObject({
    ...{ ranTasks: 0, computeMs: 0, speedUp: 0, efficiency: 0, parallelism: 0, workers: [] },
    criticalPath: { lengthMs: 0, stepCount: 0, steps: [] },
  })
})

test('the critical path is the longest chain of results, waits apart', () => {
  // 0 → 1 → 3 takes 40 + 100 + 30, 0 → 2 → 3 is sent later and shorter.
  const job = jobTimes([
    taskTimes(0, { startedAtMs: 1_000, endedAtMs: 1_040 }),
    taskTimes(1, { inputs: [0], sentAtMs: 1_045, startedAtMs: 1_050, endedAtMs: 1_150, fetchMs: 5, readyAtMs: 1_040 }),
    taskTimes(2, { inputs: [0], sentAtMs: 1_150, startedAtMs: 1_150, endedAtMs: 1_210, readyAtMs: 1_040 }),
    taskTimes(3, { inputs: [1, 2], sentAtMs: 1_215, startedAtMs: 1_215, endedAtMs: 1_245, readyAtMs: 1_210 }),
  ])
  const { criticalPath, parallelism } = profileJob([job], around)
  expect(criticalPath).toMatchObject({
    ...{ lengthMs: 175, stepCount: 3 },
    steps: [
      { taskId: 'j/0', computeMs: 40, transferMs: 0 },
      { taskId: 'j/1', computeMs: 100, transferMs: 5, waitMs: 5 },
      { taskId: 'j/3', computeMs: 30, transferMs: 0 },
    ],
  })
  expect(parallelism).toBeCloseTo(230 / 175)
})

test('what a task submitted and waited for is on the path behind it, and counts once', () => {
  const parent = taskTimes(0, { startedAtMs: 1_000, endedAtMs: 1_300, parkedMs: 250, childJobIds: ['c'] })
  const child: JobTimes = jobTimes(
    [taskTimes(0, { sentAtMs: 1_040 }), taskTimes(1, { sentAtMs: 1_150, endedAtMs: 1_270 })],
    {
      ...{ jobId: 'c', submittedAtMs: 1_030 },
    },
  )
  const profile = profileJob([jobTimes([parent, taskTimes(1, { sentAtMs: 1_300, inputs: [0] })]), child], around)
  expect(profile).toMatchObject({ jobs: 2, tasks: 4, computeMs: 50 + 100 + 120 + 100 })
  expect(profile.criticalPath).toMatchObject({ lengthMs: 50 + 120 + 100, stepCount: 3 })
  expect(profile.criticalPath.steps.map(({ taskId }) => taskId)).toEqual(['j/0', 'c/1', 'j/1'])
})

test('of a chain of ten thousand tasks both ends are shown', () => {
  const tasks = Array.from({ length: 10_000 }, (_, index) =>
    taskTimes(index, { inputs: index > 0 ? [index - 1] : [], startedAtMs: 1_000 + index, endedAtMs: 1_001 + index }),
  )
  const { criticalPath } = profileJob([jobTimes(tasks)], around)
  expect(criticalPath).toMatchObject({ lengthMs: 10_000, stepCount: 10_000 })
  expect(criticalPath.steps).toHaveLength(200)
  expect(criticalPath.steps[0]?.taskId).toBe('j/0')
  expect(criticalPath.steps.at(-1)?.taskId).toBe('j/9999')
})

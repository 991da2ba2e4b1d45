import { expect, test } from 'vitest'

import { type Job, Job as JobMessage, JobState, Worker } from '#libs/proto'

import { type MeshLoad, rateBetween, readMeshLoad } from './mesh-load.js'
import { createRecordedTerminal } from './terminal.fixture.js'
import { renderTop } from './top-view.js'

interface TestJob {
  readonly id: string
  readonly finished: number
  readonly queued?: number
  readonly submittedMs?: number
}

function jobOf({ id, finished, queued = 0, submittedMs = 0 }: TestJob): Job {
  return {
    ...JobMessage.fromPartial({}),
    jobId: id,
    name: `name of ${id}`,
    state: queued > 0 ? JobState.RUNNING : JobState.FINISHED,
    counts: { waiting: 0, queued, running: 0, finished, failed: 0, cancelled: 0 },
    submittedAt: { seconds: BigInt(submittedMs / 1000), nanos: 0 },
  }
}

/** What a mesh with these jobs does. */
async function loadOf(atMs: number, jobs: readonly TestJob[], workerCount = 1): Promise<MeshLoad> {
  const all = jobs.map(jobOf)
  const workers = Array.from({ length: workerCount }, (_, index) => ({
    ...Worker.fromPartial({}),
    workerId: `w-${index}`,
    slots: 4,
    assignedTasks: 2,
    rssBytes: 100_000_000n,
  }))
  const scheduler = {
    listJobs: async ({ state }: { state: JobState }) => ({
      jobs: state === JobState.RUNNING ? all.filter((job) => job.state === state) : all,
    }),
    listWorkers: async () => ({ workers }),
  }
  return await readMeshLoad(scheduler as never, atMs)
}

test('running jobs come first, each once', async () => {
  const load = await loadOf(0, [
    { id: 'done', finished: 2 },
    { id: 'open', finished: 1, queued: 3 },
  ])

  expect(load.jobs.map(({ jobId, settled, total }) => [jobId, settled, total])).toEqual([
    ['open', 1, 4],
    ['done', 2, 2],
  ])
})

test('the rate counts what was settled since, in new jobs too, and not what an old job had settled before', async () => {
  const before = await loadOf(10_000, [{ id: 'a', finished: 5, queued: 9 }])
  const now = await loadOf(12_000, [
    { id: 'a', finished: 9, queued: 5 },
    { id: 'new', finished: 2, submittedMs: 11_000 },
    { id: 'old', finished: 1_000, submittedMs: 1_000 },
  ])

  expect(rateBetween(before, now)).toBe(3)
  expect(rateBetween(undefined, now)).toBeUndefined()
})

test('a person sees bars, a program numbers', async () => {
  const load = await loadOf(60_000, [{ id: 'j-1', finished: 3, queued: 1 }])

  const person = renderTop('lab', load, 12.34, createRecordedTerminal({ isInteractive: true, width: 120 }))
  expect(person).toContain('lab: 1 worker, 4 slots, 1 running job')
  expect(person).toContain('12 tasks/s')
  expect(person).toMatch(/w-0 .* ████░░░░ .* 100 MB/)
  expect(person).toMatch(/j-1 .* ███████████████░░░░░ {2}75 % .* 1m 00s/)
  const program = renderTop('lab', load, undefined, createRecordedTerminal())
  expect(program).toContain('j-1\tname of j-1\trunning\t75 %\t4')
})

test('the view fits the screen, whatever there is to show', async () => {
  const jobs = Array.from({ length: 100 }, (_, index) => ({ id: `j-${index}`, finished: 1, queued: 1 }))
  const terminal = createRecordedTerminal({ isInteractive: true, width: 80 })

  const lines = renderTop('lab', await loadOf(0, jobs, 50), 0, terminal).split('\n')

  // Two lines more for the foot.
  expect(lines.length).toBeLessThanOrEqual(terminal.height - 2)
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
  expect(lines.filter((text) => /^and \d+ more$/.test(text))).toHaveLength(2)
})

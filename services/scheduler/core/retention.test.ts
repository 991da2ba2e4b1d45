import { expect, test } from 'vitest'

import type { JobId, SessionId } from '#libs/domain'

import { createMesh, type Mesh } from './testing/mesh.js'

const jobs = (mesh: Mesh): string[] => [...mesh.state.jobs.keys()]

function settle(mesh: Mesh, job: string, session?: string): void {
  mesh.submit([`task of ${job}`], { job, ...(session === undefined ? {} : { session }) })
  mesh.finish(`task of ${job}`, { bytes: 1_000 })
}

test('settled jobs beyond the limit are forgotten, the oldest first, with what workers hold of them', () => {
  const mesh = createMesh({ maxSettledJobs: 2 })
  mesh.workers(1)
  for (const job of ['first', 'second', 'third', 'fourth']) settle(mesh, job)
  mesh.effects()
  mesh.tick()
  expect(mesh.effects()).toEqual(['release task of first on w1', 'release task of second on w1'])
  expect(jobs(mesh)).toEqual(['third', 'fourth'])
  expect(mesh.state.counts.finished).toBe(2)
})

test('given up jobs with more tasks than the limit are forgotten, however few they are; results that may be asked for stay', () => {
  const mesh = createMesh({ maxSettledTasks: 2 })
  mesh.workers(1)
  for (const job of ['kept', 'first', 'second', 'third']) settle(mesh, job)
  mesh.release('task of first', 'task of second', 'task of third')
  mesh.tick()
  expect(jobs(mesh)).toEqual(['kept', 'third'])
})

test('a forgotten request can be made again', () => {
  const mesh = createMesh({ maxSettledJobs: 0 })
  mesh.workers(1)
  settle(mesh, 'j')
  mesh.tick()
  mesh.effects()
  mesh.submit(['again'], { job: 'j' })
  expect(mesh.effects()).toEqual(['answer j', 'run again#1 on w1'])
})

test('what a session still wants, is pinned, is needed or is not settled stays', () => {
  const mesh = createMesh({ maxSettledJobs: 0 })
  mesh.workers(3)
  mesh.open('s')
  settle(mesh, 'wanted', 's')
  settle(mesh, 'pinned')
  mesh.happen({ kind: 'persistRequested', jobId: 'pinned' as JobId, name: 'name' })
  settle(mesh, 'needed')
  mesh.submit([['open', 'task of needed']], { job: 'open' })
  mesh.tick()
  expect(jobs(mesh)).toEqual(['wanted', 'pinned', 'needed', 'open'])
  mesh.release('task of wanted')
  mesh.finish('open')
  mesh.tick()
  expect(jobs(mesh)).toEqual(['pinned'])
})

test('a job that its session released is forgotten though the session lives', () => {
  const mesh = createMesh({ maxSettledJobs: 0 })
  mesh.workers(1)
  mesh.open('s')
  settle(mesh, 'j', 's')
  mesh.release('task of j')
  mesh.tick()
  expect(jobs(mesh)).toEqual([])
})

test('the jobs of a session that ended are forgotten', () => {
  const mesh = createMesh({ maxSettledJobs: 0 })
  mesh.workers(1)
  mesh.open('s')
  settle(mesh, 'attached', 's')
  mesh.submit(['detached'], { job: 'detached', session: 's', detached: true })
  mesh.finish('detached', { bytes: 1_000 })
  mesh.close('s')
  mesh.pass(60_500)
  expect(jobs(mesh)).toEqual([])
  expect(mesh.state.workers.values().next().value?.objects.size).toBe(0)
})

test('pinned results stay when their handles are gone, and when their session is', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.open('s')
  settle(mesh, 'j', 's')
  mesh.happen({ kind: 'persistRequested', callId: 1, jobId: 'j' as JobId, name: 'name' })
  mesh.release('task of j')
  mesh.close('s')
  mesh.pass(61_000)
  mesh.lose('w1')
  expect(mesh.status('task of j')).toBe('is queued')
})

test('a name pins one job', () => {
  const mesh = createMesh({ durableDetachedBytes: Infinity })
  mesh.workers(1)
  settle(mesh, 'a')
  settle(mesh, 'b')
  mesh.effects()
  const pin = (jobId: string, name: string): void =>
    mesh.happen({ kind: 'persistRequested', callId: 1, jobId: jobId as JobId, name })
  pin('a', 'name')
  pin('a', 'name')
  pin('b', 'name')
  pin('a', 'second name')
  pin('unknown', 'third name')
  expect(mesh.effects()).toEqual(['answer a', 'answer a', 'refuse NAME_TAKEN', 'answer a', 'refuse JOB_NOT_FOUND'])
  expect([...mesh.state.persisted]).toEqual([
    ['name', 'a'],
    ['second name', 'a'],
  ])
})

test('a registered task keeps its function; the same again is no error', () => {
  const mesh = createMesh()
  const register = (taskName: string, version = '1'): void =>
    mesh.happen({
      kind: 'taskRegistered',
      callId: 1,
      name: 'solve',
      version,
      function: { bundleDigest: 'b', taskName },
    })
  register('f')
  register('f')
  register('g')
  register('g', '2')
  expect(mesh.effects()).toEqual(['answer yes', 'answer yes', 'refuse TASK_EXISTS', 'answer yes'])
  expect([...mesh.state.registeredTasks.keys()]).toEqual(['solve@1', 'solve@2'])
})

test('a session that follows nothing any more leaves no trace', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.submit(['a'])
  mesh.happen({ kind: 'jobFollowed', sessionId: 's' as SessionId, jobId: 'j1' as JobId })
  mesh.close('s')
  mesh.pass(60_500)
  expect(mesh.state.sessions.size).toBe(0)
  expect(mesh.state.jobs.get('j1' as JobId)?.followers.size).toBe(0)
})

const hourMs = 3_600_000

/** With a result that is in the scheduler: it outlives the worker. */
function settleInline(mesh: Mesh, job: string, session?: string): void {
  mesh.submit([`task of ${job}`], { job, ...(session === undefined ? {} : { session }) })
  mesh.finish(`task of ${job}`)
}

test('results that nobody holds are kept for their time, and a record of the job for longer', () => {
  const mesh = createMesh({ resultTtlMs: hourMs, historyTtlMs: 3 * hourMs })
  mesh.workers(1)
  settleInline(mesh, 'j')
  mesh.nowMs += hourMs - 1_000
  mesh.tick()
  expect(jobs(mesh)).toEqual(['j'])
  mesh.nowMs += 2_000
  mesh.tick()
  expect(jobs(mesh)).toEqual([])
  const record = mesh.state.history.get('j' as JobId)
  expect(record?.counts.finished).toBe(1)
  mesh.restart()
  expect(mesh.state.history.get('j' as JobId)).toEqual(record)
  mesh.nowMs += 2 * hourMs
  mesh.tick()
  expect(mesh.state.history.size).toBe(0)
})

test('a session that still wants results keeps them beyond their time', () => {
  const mesh = createMesh({ resultTtlMs: hourMs })
  mesh.workers(1)
  mesh.open('s')
  settleInline(mesh, 'j', 's')
  mesh.nowMs += 5 * hourMs
  mesh.tick()
  expect(jobs(mesh)).toEqual(['j'])
  mesh.release('task of j')
  mesh.tick()
  expect(jobs(mesh)).toEqual([])
})

test('the oldest results go when those that nobody holds take too much', () => {
  const mesh = createMesh({ maxSettledBytes: 25_000 })
  mesh.workers(1)
  mesh.open('s')
  const settleLarge = (job: string, session?: string): void => {
    mesh.submit([`task of ${job}`], { job, inputBytes: 5_000, ...(session === undefined ? {} : { session }) })
    mesh.finish(`task of ${job}`, { inlineBytes: 5_000 })
    mesh.tick()
  }
  settleLarge('held', 's')
  for (const job of ['first', 'second', 'third', 'fourth']) settleLarge(job)
  expect(jobs(mesh)).toEqual(['held', 'third', 'fourth'])
})

test('a result that nobody has fetched yet does not go for its own size', () => {
  const mesh = createMesh({ maxSettledBytes: 1_000 })
  mesh.workers(1)
  mesh.submit(['large'], { job: 'large', detached: true, inputBytes: 5_000 })
  mesh.finish('large', { inlineBytes: 5_000 })
  mesh.tick()
  expect(jobs(mesh)).toEqual(['large'])
  mesh.release('large')
  mesh.tick()
  expect(jobs(mesh)).toEqual([])
})

test('records beyond the limit go, the oldest first', () => {
  const mesh = createMesh({ maxSettledJobs: 0, maxJobRecords: 2 })
  mesh.workers(1)
  for (const job of ['first', 'second', 'third']) {
    settle(mesh, job)
    mesh.tick()
  }
  expect([...mesh.state.history.keys()]).toEqual(['second', 'third'])
})

test('who follows a job whose results are kept no longer is told so', () => {
  const mesh = createMesh({ maxSettledJobs: 0 })
  mesh.workers(1)
  settle(mesh, 'j')
  mesh.tick()
  mesh.effects()
  mesh.happen({ kind: 'jobFollowed', callId: 1, sessionId: 's' as SessionId, jobId: 'j' as JobId })
  expect(mesh.effects()).toEqual(['refuse JOB_NOT_FOUND'])
})

test('a job takes the name of one that is history', () => {
  const mesh = createMesh({ maxSettledJobs: 0 })
  mesh.workers(1)
  settle(mesh, 'j')
  mesh.tick()
  mesh.submit(['again'], { job: 'j' })
  expect(mesh.state.history.size).toBe(0)
  expect(jobs(mesh)).toEqual(['j'])
})

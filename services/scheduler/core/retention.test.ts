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
  const mesh = createMesh()
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

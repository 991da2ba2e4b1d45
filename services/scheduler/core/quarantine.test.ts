import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { createMesh, type Mesh } from './testing/mesh.js'

const broken = { kind: 'bundle', reason: 'MODULE_NOT_LOADED', message: 'no space left on device' } as const
const workerOf = (mesh: Mesh, name: string) => mesh.state.workers.get(name as WorkerId)
const reasonOf = (mesh: Mesh, name: string): string | undefined => workerOf(mesh, name)?.quarantine?.why

/** A mesh where functions of kind f are known to run. */
function createTried(policy = {}): Mesh {
  const mesh = createMesh(policy)
  mesh.join('tester')
  mesh.submit(['tried'])
  mesh.finish('tried')
  mesh.leave('tester')
  return mesh
}

let count = 0
/** A task comes to this worker, all others being busy, and fails there. */
function failOn(mesh: Mesh, worker: string, name = `t${++count}`): void {
  mesh.submit([name])
  expect(mesh.status(name)).toBe(`is on ${worker}`)
  mesh.fail(name, broken)
  mesh.cancel(name)
}

/** Two workers: one that is bad and free, one that is good and busy. */
function createTwo(policy = {}): Mesh {
  const mesh = createTried(policy)
  mesh.join('good', { host: 'h1' })
  mesh.submit(['busy'])
  mesh.join('bad', { host: 'h2' })
  return mesh
}

test('three different tasks in a row that fail on a worker, but run elsewhere, put it in quarantine', () => {
  const mesh = createTwo()
  failOn(mesh, 'bad')
  failOn(mesh, 'bad')
  expect(reasonOf(mesh, 'bad')).toBeUndefined()
  failOn(mesh, 'bad')
  expect(reasonOf(mesh, 'bad')).toBe('3 tasks in a row failed on it: no space left on device')
  mesh.submit(['next'])
  expect(mesh.status('next')).toBe('is queued')
  mesh.pass(30_000)
  expect(reasonOf(mesh, 'bad')).toBeUndefined()
  expect(mesh.status('next')).toBe('is on bad')
})

test('each quarantine is twice as long as the one before, until something runs', () => {
  const mesh = createTwo({ maxQuarantineMs: 100_000 })
  const lengths: number[] = []
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 3; i++) failOn(mesh, 'bad')
    lengths.push((workerOf(mesh, 'bad')?.quarantine?.untilMs ?? 0) - mesh.nowMs)
    mesh.pass(100_000)
  }
  expect(lengths).toEqual([30_000, 60_000, 100_000, 100_000])
  mesh.submit(['fine'])
  mesh.finish('fine')
  for (let i = 0; i < 3; i++) failOn(mesh, 'bad')
  expect((workerOf(mesh, 'bad')?.quarantine?.untilMs ?? 0) - mesh.nowMs).toBe(30_000)
})

test('the same task again, and failures with one that ran between, are no reason', () => {
  const mesh = createTwo()
  const name = 'same'
  mesh.submit([name], { retry: { maxAttempts: { bundle: 9 }, firstDelayMs: 0 } })
  for (let i = 0; i < 4; i++) {
    mesh.fail(name, broken)
    mesh.tick()
  }
  mesh.cancel(name)
  failOn(mesh, 'bad')
  mesh.submit(['fine'])
  mesh.fail('fine')
  failOn(mesh, 'bad')
  failOn(mesh, 'bad')
  expect(reasonOf(mesh, 'bad')).toBeUndefined()
})

test('errors of the tasks themselves, timeouts and cancels are no reason', () => {
  const mesh = createTwo()
  for (const kind of ['userError', 'timeout', 'outOfMemory', 'userError', 'timeout', 'outOfMemory'] as const) {
    const name = `${kind} ${++count}`
    mesh.submit([name])
    mesh.fail(name, { kind, reason: 'X', message: 'x' })
    mesh.cancel(name)
  }
  expect(reasonOf(mesh, 'bad')).toBeUndefined()
})

test('the only worker that takes tasks is not put in quarantine', () => {
  const mesh = createTried()
  mesh.join('only')
  for (let i = 0; i < 5; i++) failOn(mesh, 'only')
  expect(reasonOf(mesh, 'only')).toBeUndefined()
})

test('a restart forgets no quarantine, nor how long the next one would be', () => {
  const mesh = createTwo()
  for (let i = 0; i < 3; i++) failOn(mesh, 'bad')
  const before = workerOf(mesh, 'bad')?.quarantine
  mesh.restart()
  for (const [name, host] of [
    ['good', 'h1'],
    ['bad', 'h2'],
  ] as const)
    mesh.join(name, { host })
  expect(workerOf(mesh, 'bad')?.quarantine).toEqual(before)
  expect(mesh.status('busy')).toBe('is on good')
  mesh.pass(30_000)
  expect(reasonOf(mesh, 'bad')).toBeUndefined()
  // What functions of its kind are known to run is learnt again.
  mesh.finish('busy')
  mesh.submit(['busy again'])
  for (let i = 0; i < 3; i++) failOn(mesh, 'bad')
  expect((workerOf(mesh, 'bad')?.quarantine?.untilMs ?? 0) - mesh.nowMs).toBe(60_000)
  mesh.pass(60_000)
  mesh.restart()
  mesh.join('bad', { host: 'h2' })
  expect(reasonOf(mesh, 'bad')).toBeUndefined()
})

test('when the others are gone, the quarantine of the last one ends', () => {
  const mesh = createTwo()
  for (let i = 0; i < 3; i++) failOn(mesh, 'bad')
  mesh.leave('good')
  mesh.tick()
  expect(reasonOf(mesh, 'bad')).toBeUndefined()
  expect(mesh.status('busy')).toBe('is on bad')
})

test('a host whose workers die one after the other, each with other tasks, gets no tasks; its new workers neither', () => {
  const mesh = createMesh()
  mesh.join('good', { host: 'h1' })
  mesh.submit(['busy'])
  for (const name of ['x', 'y', 'z']) {
    mesh.join(`bad-${name}`, { host: 'h2' })
    mesh.submit([name])
    mesh.lose(`bad-${name}`)
    mesh.cancel(name)
  }
  mesh.join('new', { host: 'h2' })
  expect(reasonOf(mesh, 'new')).toMatch(/^3 tasks in a row failed on several workers of h2: worker bad-z was lost/)
  mesh.submit(['next'])
  expect(mesh.status('next')).toBe('is queued')
  mesh.restart()
  mesh.join('good', { host: 'h1' })
  mesh.join('new', { host: 'h2' })
  mesh.join('newer', { host: 'h2' })
  expect([reasonOf(mesh, 'new'), reasonOf(mesh, 'newer')]).toEqual([expect.any(String), expect.any(String)])
  mesh.join('elsewhere', { host: 'h3' })
  mesh.pass(30_000)
  expect(reasonOf(mesh, 'new')).toBeUndefined()
})

test('one task that ends worker after worker is to blame itself, whichever hosts they are on', () => {
  const mesh = createMesh()
  mesh.join('good', { host: 'h1' })
  mesh.submit(['busy'])
  mesh.submit(['killer'])
  for (const worker of ['k1', 'k2', 'k3', 'k4']) {
    mesh.join(worker, { host: worker === 'k3' ? 'h3' : 'h2' })
    mesh.lose(worker)
  }
  expect(mesh.status('killer')).toBe('failed: workerLost WORKER_LOST')
  mesh.join('new', { host: 'h2' })
  expect(reasonOf(mesh, 'new')).toBeUndefined()
  expect([...mesh.state.hosts.values()].flatMap(({ troubles }) => troubles).length).toBeLessThanOrEqual(1)
})

test('a worker that takes no tasks counts for nobody, and is not wanted twice', () => {
  const mesh = createTwo()
  for (let i = 0; i < 3; i++) failOn(mesh, 'bad')
  expect(workerOf(mesh, 'bad')?.quarantine).toBeDefined()
  mesh.join('bad', { host: 'h2' })
  expect(workerOf(mesh, 'bad')?.quarantine).toBeDefined()
  mesh.happen({ kind: 'drainRequested', workerId: 'bad' as WorkerId, onlyIfIdle: false })
  mesh.leave('bad')
  expect(workerOf(mesh, 'bad')).toBeUndefined()
})
